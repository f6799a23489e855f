#include "libflock/core/node_core.hpp"

#include <algorithm>

// Notifications, and who may ask for them.

namespace flock {

// Notifications.

void node_core::notify(wanted_action what, time_point until, notifier::all_sent done) {
  assert_home();
  if (what.debt == 0) return notifier_.send(std::move(what), until, std::move(done));
  const auto settle = [this, debt = what.debt] { debts_.settle(debt); };
  auto sent = [settle, done = std::move(done)](result<std::vector<notifier::sent>> all) {
    if (!all) settle();
    done(std::move(all));
  };
  notifier_.send(std::move(what), until, std::move(sent), settle);
}

void node_core::admit_by(policy p) { policy_ = std::make_shared<const policy>(std::move(p)); }

result<void> node_core::admit(const notification& n) {
  const auto* from = links_.peer(n.sender);
  if (n.sender != id()) {
    if (!from) return error{error_code::refused, n.sender.str() + " is not connected"};
    auto admitted = policy_.load()->admits({from->id.str(), from->environment, n.actor.str(), n.action});
    if (!admitted) return admitted;
  }
  const auto actor = actors_.find(n.actor);
  if (!actor) return error{error_code::not_found, "no " + n.actor.str() + " on " + id().str()};
  const bool has_action = std::any_of(actor->methods.begin(), actor->methods.end(),
                                      [&](const method_info& m) { return m.name == n.action; });
  // Without methods it is still being made, and says for itself what it has not.
  if (!has_action && !actor->methods.empty())
    return error{error_code::no_such_method, n.actor.str() + " has no action " + n.action};
  return {};
}

void node_core::perform(const notification& n, std::function<bool()> starts, std::function<void(result<value>)> done) {
  auto arguments = n.arguments;
  if (resource_name::parse(n.actor.str())) {
    // Names of this form are resources', whose actions are told why they are performed.
    value::list causes;
    for (const auto& c : n.causes)
      causes.emplace_back(value::map{{"node", c.node.str()}, {"resource", c.resource}, {"action", c.action}});
    arguments = {value::map{{"causes", std::move(causes)}, {"notification", n.id}}};
  }
  // Behind a slow action its time may pass; then it must not begin.
  const auto until = now() + (n.expires - wall());
  actors_.invoke({n.sender, until}, n.actor, n.action, std::move(arguments), std::move(starts), std::move(done));
}

void node_core::moves(const notification& n, const receipt& to) {
  auto members =
      value::map{{"id", n.id}, {"target", n.target.str()}, {"resource", n.actor.str()}, {"action", n.action}};
  if (to.why) members.emplace("error", to.why->what);
  add_event(std::string(to_string(to.state)), std::move(members));
  if (moving_) moving_(n, to);
}

void node_core::progressed(const notification_record& r) {
  const auto listening = progress_;  // one may end while it is told
  for (const auto& [handle, f] : listening) f(r);
}

std::shared_ptr<void> node_core::on_progress(progress f) {
  assert_home();
  const auto handle = next_progress_++;
  progress_.emplace(handle, std::move(f));
  auto forget = [weak = weak_from_this(), handle](void*) {
    if (auto self = weak.lock()) self->post([core = self.get(), handle] { core->progress_.erase(handle); });
  };
  return {static_cast<void*>(this), forget};
}

void node_core::add_event(std::string type, value::map members) {
  assert_home();
  members.emplace("node", id().str());
  events_.add(std::move(type), wall(), std::move(members));
}

}  // namespace flock
