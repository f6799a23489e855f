#include "node/chef/chef_resource.hpp"

#include "actors/resource/resource_type.hpp"

#include <algorithm>
#include <utility>

namespace flock {

chef_resource::chef_resource(surroundings around, resource_name name, const std::vector<std::string>& actions)
    : around_(std::move(around)), name_(std::move(name)) {
  for (const auto& action : actions) methods_.push_back(describe_action(action, "performed by a Chef run"));
  methods_.push_back({.name = "state", .doc = "how its last action ended", .parameters = {}, .returns = "map"});
}

void chef_resource::call(const asker&, std::string_view method, value::list arguments, beginning begin,
                         responder answer) {
  if (method == "state") {
    if (begin()) around_.state(name_, std::move(answer));
    return;
  }
  if (std::none_of(methods_.begin(), methods_.end(), [&](const method_info& m) { return m.name == method; }))
    return answer(error{error_code::no_such_method, name_.str() + " has no action " + std::string(method)});
  if (arguments.size() > 1) {
    return answer(error{error_code::bad_argument,
                        "an action takes one argument at most, got " + std::to_string(arguments.size())});
  }
  auto why = arguments.empty() ? action_context() : action_context::from_value(arguments.front());
  if (!why) return answer(why.error().within("argument 1"));
  around_.perform(name_, std::string(method), *std::move(why), std::move(begin), std::move(answer));
}

}  // namespace flock
