#include "actors/resource/action_context.hpp"

#include <flock/value_cast.hpp>

#include <algorithm>
#include <optional>
#include <utility>

namespace flock {
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
  return value::map{
      {"run", run}, {"why_run", why_run}, {"causes", flock::to_value(causes)}, {"notification", notification}};
}

result<action_context> action_context::from_value(const value& v) {
  if (v.as_map() == nullptr) return wrong_kind("a map", v);
  auto run = flock::from_value<std::optional<std::string>>(v["run"]);
  if (!run) return run.error().within("run");
  auto why_run = flock::from_value<std::optional<bool>>(v["why_run"]);
  if (!why_run) return why_run.error().within("why_run");
  auto chain =
      v["causes"].is_null() ? result<std::vector<cause>>(std::vector<cause>()) : causes_from_value(v["causes"]);
  if (!chain) return chain.error().within("causes");
  auto notification = flock::from_value<std::optional<std::string>>(v["notification"]);
  if (!notification) return notification.error().within("notification");

  return action_context{.run = run->value_or(""),
                        .why_run = why_run->value_or(false),
                        .causes = *std::move(chain),
                        .notification = notification->value_or(""),
                        .other_causes = {}};
}

}  // namespace flock
