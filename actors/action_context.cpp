#include "actors/action_context.hpp"

#include <flock/value_cast.hpp>

#include <optional>
#include <utility>

namespace flock {
namespace {

result<cause> cause_from(const value& v) {
  auto node = from_value<node_id>(v["node"]);
  if (!node) return node.error().within("node");
  auto resource = from_value<std::string>(v["resource"]);
  if (!resource) return resource.error().within("resource");
  auto action = from_value<std::string>(v["action"]);
  if (!action) return action.error().within("action");
  return cause{*std::move(node), *std::move(resource), *std::move(action)};
}

}  // namespace

value action_context::to_value() const {
  value::list chain;
  for (const auto& c : causes) {
    chain.push_back(value::map{{"node", c.node.str()}, {"resource", c.resource}, {"action", c.action}});
  }
  return value::map{{"run", run}, {"why_run", why_run}, {"causes", std::move(chain)}};
}

result<action_context> action_context::from_value(const value& v) {
  if (v.as_map() == nullptr) return wrong_kind("a map", v);
  auto run = flock::from_value<std::optional<std::string>>(v["run"]);
  if (!run) return run.error().within("run");
  auto why_run = flock::from_value<std::optional<bool>>(v["why_run"]);
  if (!why_run) return why_run.error().within("why_run");
  auto chain = flock::from_value<std::optional<value::list>>(v["causes"]);
  if (!chain) return chain.error().within("causes");

  action_context read{run->value_or(""), why_run->value_or(false), {}};
  for (const auto& link : chain->value_or(value::list{})) {
    auto c = cause_from(link);
    if (!c) return c.error().within("causes");
    read.causes.push_back(*std::move(c));
  }
  return read;
}

}  // namespace flock
