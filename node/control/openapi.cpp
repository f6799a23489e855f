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

void add(value::map& paths, const control_operation& o, value description) {
  auto& path = paths[o.path];
  if (path.is_null()) path = value::map();
  path.as_map()->insert_or_assign(lower(o.method), std::move(description));
}

/// Of a value type by its name, as describe() gives it: "integer", "list of text", "text?".
value schema_of(std::string_view type) {
  constexpr std::string_view list = "list of ";
  if (type.substr(0, list.size()) == list) return schema::list(schema_of(type.substr(list.size())));
  if (type == "text") return schema::text();
  if (type == "boolean") return schema::flag();
  if (type == "integer") return schema::integer();
  if (type == "number") return value::map{{"type", "number"}};
  return value::map{{"description", type}};
}

std::string arguments_of(const method_info& m) {
  std::string all = m.parameters.empty() ? "No arguments" : "The arguments: ";
  for (const auto& p : m.parameters) all.append(&p == &m.parameters.front() ? "" : ", ").append(p);
  return all;
}

void add(value::map& paths, const actor_host::published_actor& a, const method_info& m) {
  const auto path = "/v1/call/{node}/" + a.name.str() + "/" + m.name;
  const auto id = a.name.str() + "." + m.name;
  const auto arguments = arguments_of(m);
  const control_operation o{.method = "POST",
                            .path = path,
                            .id = id,
                            .summary = m.doc.empty() ? std::string_view(id) : m.doc,
                            .parameters = {timeout_parameter()},
                            .body = {.schema = schema::list(), .required = !m.parameters.empty(), .words = arguments},
                            .answer = {.words = m.returns,
                                       .schema = schema_of(m.returns),
                                       .member = m.streams ? "" : "result",
                                       .type = m.streams ? "text/event-stream" : "application/json"},
                            .errors = {error_code::not_found, error_code::refused, error_code::unreachable,
                                       error_code::timeout, error_code::maybe_done, error_code::down}};
  auto description = description_of(o);
  description.as_map()->insert_or_assign("tags", value::list{a.name.str()});
  add(paths, o, std::move(description));
}

}  // namespace

value openapi_document(const std::vector<const control_operation*>& operations,
                       const std::vector<actor_host::published_actor>& actors) {
  value::map paths;
  for (const auto* o : operations) add(paths, *o, description_of(*o));
  value::list tags;
  for (const auto& a : actors) {
    if (resource_name::parse(a.name.str())) continue;
    tags.emplace_back(value::map{{"name", a.name.str()}, {"description", a.does.empty() ? a.type : a.does}});
    for (const auto& m : a.methods) add(paths, a, m);
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
      {"tags", std::move(tags)},
      {"paths", std::move(paths)},
      {"components", value::map{{"schemas", from_json(control_schemas).value_or(value::map())}}}};
}

}  // namespace flock
