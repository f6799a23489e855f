#include "actors/resource/execute_resource.hpp"
#include "actors/resource/file_resource.hpp"
#include "actors/resource/listed.hpp"
#include "actors/resource/log_resource.hpp"
#include "actors/resource/resource_type.hpp"

#include <algorithm>

namespace flock {

bool resource_type::has_action(std::string_view action) const {
  return std::any_of(actions.begin(), actions.end(), [&](const auto& a) { return a.name == action; });
}

std::string resource_type::action_names() const { return listed(actions, &method_info::name); }

method_info describe_action(std::string name, std::string doc) {
  return {.name = std::move(name), .doc = std::move(doc), .parameters = {"map?"}, .returns = "map"};
}

const std::vector<resource_type>& resource_types() {
  static const std::vector<resource_type> all{execute_resource(), file_resource(), log_resource()};
  return all;
}

const resource_type* find_resource_type(std::string_view name) {
  const auto& all = resource_types();
  const auto found = std::find_if(all.begin(), all.end(), [&](const auto& t) { return t.name == name; });
  return found == all.end() ? nullptr : &*found;
}

}  // namespace flock
