#include "node/control/control_operation.hpp"

#include <utility>

namespace flock {
namespace schema {
namespace {

value of_type(std::string_view name) { return value::map{{"type", name}}; }

value with(value schema, std::string_view name, value what) {
  schema.as_map()->insert_or_assign(std::string(name), std::move(what));
  return schema;
}

value words(const std::vector<std::string_view>& all) {
  value::list out;
  for (const auto& one : all) out.emplace_back(one);
  return out;
}

}  // namespace

value named(std::string_view name) { return value::map{{"$ref", "#/components/schemas/" + std::string(name)}}; }

value text(std::string_view example) {
  return example.empty() ? of_type("string") : with(of_type("string"), "example", example);
}

value one_of(std::vector<std::string_view> all, std::string_view otherwise) {
  auto out = with(of_type("string"), "enum", words(all));
  return otherwise.empty() ? out : with(std::move(out), "default", otherwise);
}

value integer() { return of_type("integer"); }

value flag() { return of_type("boolean"); }
value flag(bool otherwise) { return with(flag(), "default", otherwise); }

value list() { return list(value::map{}); }
value list(value of) { return with(of_type("array"), "items", std::move(of)); }

value object() { return of_type("object"); }

value object(value::map members, std::vector<std::string_view> required) {
  auto out = with(object(), "properties", std::move(members));
  return required.empty() ? out : with(std::move(out), "required", words(required));
}

value said(value schema, std::string_view words) { return with(std::move(schema), "description", words); }

}  // namespace schema

control_parameter timeout_parameter() {
  return {.name = "timeout",
          .schema = value::map{{"type", "string"}, {"default", "5s"}},
          .words = "As 250ms, 5s, 2m; at most 1h"};
}

}  // namespace flock
