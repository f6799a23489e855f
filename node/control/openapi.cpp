#include "node/control/openapi.hpp"

#include "node/control/control_api.hpp"
#include "node/control/control_schemas.hpp"

#include <algorithm>
#include <cctype>
#include <map>
#include <string>
#include <utility>

namespace flock {
namespace {

constexpr std::string_view about =
    "What a flockd answers on its Unix socket; docs/control_api.md tells the rest. Whoever may open the socket may "
    "ask: "
    "its mode is 0660. So no operation requires more, and none of the kinds of security that OpenAPI knows applies.";

value content(std::string_view type, value schema) {
  return value::map{{type, value::map{{"schema", std::move(schema)}}}};
}

value failure(std::string_view words) {
  return value::map{{"description", words}, {"content", content("application/json", schema::named("failure"))}};
}

/// The names in a path.
std::vector<std::string> names_in(std::string_view path) {
  std::vector<std::string> names;
  for (auto from = path.find('{'); from != path.npos; from = path.find('{', from + 1))
    names.emplace_back(path.substr(from + 1, path.find('}', from) - from - 1));
  return names;
}

value parameter(std::string_view name, std::string_view in, const value& schema, std::string_view words) {
  value::map out{{"name", name}, {"in", in}, {"schema", schema}};
  if (!words.empty()) out.emplace("description", words);
  if (in == "path") out.emplace("required", true);
  return out;
}

value parameters_of(const control_operation& o) {
  value::list out;
  for (const auto& name : names_in(o.path)) out.push_back(parameter(name, "path", schema::text(), {}));
  for (const auto& p : o.parameters) out.push_back(parameter(p.name, p.in, p.schema, p.words));
  return out;
}

/// A body of named members has no others: see control_exchange::body.
value body_of(const control_operation& o) {
  auto schema = o.body.schema;
  if (schema["properties"].as_map()) schema.as_map()->insert_or_assign("additionalProperties", false);
  value::map out{{"content", content("application/json", std::move(schema))}, {"required", o.body.required}};
  if (!o.body.words.empty()) out.emplace("description", o.body.words);
  return out;
}

value success_of(const control_answer& a) {
  auto schema = a.member.empty() ? a.schema : schema::object(value::map{{a.member, a.schema}});
  return value::map{{"description", a.words}, {"content", content(a.type, std::move(schema))}};
}

value responses_of(const control_operation& o) {
  std::map<std::string, std::string> codes = {{"400", std::string(to_string(error_code::bad_argument))}};
  for (const auto code : o.errors) {
    auto& there = codes[std::to_string(http_status(code))];
    there.append(there.empty() ? "" : ", ").append(to_string(code));
  }
  value::map out{{"200", success_of(o.answer)}, {"default", failure("Any other failure")}};
  for (const auto& [status, words] : codes) out.emplace(status, failure(words));
  return out;
}

value description_of(const control_operation& o) {
  value::map out{{"operationId", o.id},
                 {"summary", o.summary},
                 {"responses", responses_of(o)},
                 {"security", value::list()}};  // see `about`
  if (auto parameters = parameters_of(o); !parameters.as_list()->empty()) out.emplace("parameters", parameters);
  if (!o.body.schema.is_null()) out.emplace("requestBody", body_of(o));
  return out;
}

std::string lower(std::string_view method) {
  std::string out(method);
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return std::tolower(c); });
  return out;
}

}  // namespace

value openapi_document(const std::vector<const control_operation*>& operations) {
  value::map paths;
  for (const auto* o : operations) {
    auto& path = paths[o->path];
    if (path.is_null()) path = value::map();
    path.as_map()->insert_or_assign(lower(o->method), description_of(*o));
  }
  return value::map{
      {"openapi", "3.0.3"},
      {"info", value::map{{"title", "Flock control API"},
                          {"version", "1"},
                          {"description", about},
                          {"license", value::map{{"name", "Apache-2.0"},
                                                 {"url", "https://www.apache.org/licenses/LICENSE-2.0"}}}}},
      {"servers", value::list{value::map{{"url", "http://localhost"},
                                         {"description",
                                          "curl --unix-socket /run/flock/flockd.sock "
                                          "http://localhost/v1/status"}}}},
      {"paths", std::move(paths)},
      {"components", value::map{{"schemas", from_json(control_schemas).value_or(value::map())}}}};
}

}  // namespace flock
