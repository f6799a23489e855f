#include "actors/resource/action_context.hpp"

#include <flock/value_cast.hpp>

#include <algorithm>
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

void action_context::join(const action_context& other) {
  const auto has = [](const std::vector<cause>& chain, const cause& c) {
    return std::find(chain.begin(), chain.end(), c) != chain.end();
  };
  // What an update sets off goes round only if it is in all chains, so those that add nothing to that are not kept.
  const auto is_in_all = [&](const cause& c) {
    return std::all_of(other_causes.begin(), other_causes.end(), [&](const auto& chain) { return has(chain, c); });
  };
  const bool matters =
      std::any_of(causes.begin(), causes.end(), [&](const cause& c) { return is_in_all(c) && !has(other.causes, c); });
  if (matters) other_causes.push_back(other.causes);
  if (!other.notification.empty() && other.notification != notification) joined.push_back(other.notification);
}

void action_context::leads_to(wanted_action& wanted, const cause& last) const {
  wanted.causes = causes;
  wanted.causes.push_back(last);
  wanted.other_causes = other_causes;
  for (auto& chain : wanted.other_causes) chain.push_back(last);
}

value action_context::to_value() const {
  value::list chain;
  for (const auto& c : causes) {
    chain.push_back(value::map{{"node", c.node.str()}, {"resource", c.resource}, {"action", c.action}});
  }
  return value::map{{"run", run}, {"why_run", why_run}, {"causes", std::move(chain)}, {"notification", notification}};
}

result<action_context> action_context::from_value(const value& v) {
  if (v.as_map() == nullptr) return wrong_kind("a map", v);
  auto run = flock::from_value<std::optional<std::string>>(v["run"]);
  if (!run) return run.error().within("run");
  auto why_run = flock::from_value<std::optional<bool>>(v["why_run"]);
  if (!why_run) return why_run.error().within("why_run");
  auto chain = flock::from_value<std::optional<value::list>>(v["causes"]);
  if (!chain) return chain.error().within("causes");

  auto notification = flock::from_value<std::optional<std::string>>(v["notification"]);
  if (!notification) return notification.error().within("notification");

  action_context read{.run = run->value_or(""),
                      .why_run = why_run->value_or(false),
                      .causes = {},
                      .notification = notification->value_or(""),
                      .other_causes = {}};
  for (const auto& link : chain->value_or(value::list{})) {
    auto c = cause_from(link);
    if (!c) return c.error().within("causes");
    read.causes.push_back(*std::move(c));
  }
  return read;
}

}  // namespace flock
