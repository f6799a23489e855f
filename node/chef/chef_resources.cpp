#include "node/chef/chef_resources.hpp"

#include "node/chef/chef_resource.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace flock {
namespace {

constexpr std::string_view actor_type = "chef";

}  // namespace

chef_resources::chef_resources(node_core& core, log l, host of)
    : core_(core), log_(std::move(l)), host_(std::move(of)) {}

void chef_resources::declare(const declared& next) {
  std::erase_if(known_, [&](const auto& before) {
    const bool is_gone = !next.contains(before.first);
    if (is_gone && published_.erase(before.first) > 0) core_.unpublish(before.first.actor());
    return is_gone;
  });
  for (const auto& [name, actions] : next) {
    auto [at, is_new] = known_.try_emplace(name);
    if (!is_new && at->second.actions == actions) continue;
    at->second.actions = actions;
    publish(name, actions);
  }
}

void chef_resources::publish(const resource_name& name, const std::vector<std::string>& actions) {
  if (host_.is_declared(name)) return log_("warning", name.str() + " is declared in a file; Chef's is not published");
  chef_resource::surroundings around{
      [this](const resource_name& what, std::string action, action_context why, beginning begin, responder done) {
        core_.home().post([this, what = chef_runs::errand{0, what, std::move(action), std::move(why)},
                           begin = std::move(begin), done = std::move(done)] { host_.perform(what, begin, done); });
      },
      [this](const resource_name& what, responder done) {
        core_.home().post([this, what, done = std::move(done)] { done(state_of(what)); });
      }};
  auto make = [around, name, actions]() -> std::unique_ptr<actor_object> {
    return std::make_unique<chef_resource>(around, name, actions);
  };
  if (auto published = core_.replace(name.actor(), std::string(actor_type), make); !published)
    return log_("error", name.str() + ": " + published.error().what);
  published_.insert(name);
}

bool chef_resources::knows(const resource_name& name, const std::string& action) const {
  const auto at = known_.find(name);
  return at != known_.end() &&
         std::find(at->second.actions.begin(), at->second.actions.end(), action) != at->second.actions.end();
}

void chef_resources::publish_all() {
  for (const auto& [name, one] : known_)
    if (!published_.contains(name) && !host_.is_declared(name)) publish(name, one.actions);
}

chef_resources::declared chef_resources::all() const {
  declared out;
  for (const auto& [name, one] : known_) out.emplace(name, one.actions);
  return out;
}

std::vector<resource_name> chef_resources::names() const {
  std::vector<resource_name> out;
  for (const auto& [name, one] : known_)
    if (!host_.is_declared(name)) out.push_back(name);
  return out;
}

void chef_resources::remember(const resource_name& name, const std::string& action, value outcome, value why,
                              const std::string& run) {
  const auto at = known_.find(name);
  if (at == known_.end()) return;  // within another one
  if (why == value("")) why = value();
  at->second.last = value::map{{"action", action},
                               {"outcome", std::move(outcome)},
                               {"at", format_time(core_.wall())},
                               {"run", run},
                               {"error", std::move(why)}};
}

value chef_resources::state_of(const resource_name& name) const {
  const auto at = known_.find(name);
  value::map all{{"resource", name.str()}, {"state", "idle"}};
  if (at == known_.end()) return all;
  value::list actions;
  for (const auto& a : at->second.actions) actions.emplace_back(a);
  all["actions"] = std::move(actions);
  for (const char* member : {"action", "outcome", "at", "run", "error"}) all[member] = at->second.last[member];
  return all;
}

}  // namespace flock
