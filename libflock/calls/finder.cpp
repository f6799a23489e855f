#include "libflock/calls/finder.hpp"

#include <algorithm>

namespace flock {

using internal::sentence;
using internal::whole_at_end;

finder::finder(node_id self, const clock& time, const directory& nodes, membership& registry, host of)
    : self_(std::move(self)), time_(time), nodes_(nodes), registry_(registry), host_(std::move(of)) {}

void finder::find(const address& what, time_point until, found done) {
  const whole_at_end look([this] { return check(); });
  if (!what.node && host_.is_here(what.actor)) return done(address{self_, what.actor});
  const auto id = next_++;
  searches_.emplace(id, search{what, until, std::move(done), {}, false, {}});
  host_.at(until, [this, id] {
    auto it = searches_.find(id);
    if (it == searches_.end()) return;
    const auto& s = it->second;
    finish(id, s.last ? *s.last : error{error_code::not_found, "no actor " + s.what.str() + " appeared"});
  });
  if (!what.node) registry_.want_publishers(what.actor);
  attempt(id);
}

void finder::find_all(const actor_name& name, time_point until, found_all done) {
  const whole_at_end look([this] { return check(); });
  if (publishers_.contains(name)) return done(living(name));
  const auto id = next_++;
  searches_.emplace(id, search{address{{}, name}, until, {}, std::move(done), false, {}});
  host_.at(until, [this, id, name] {
    auto it = searches_.find(id);
    if (it == searches_.end()) return;
    auto all = std::move(it->second.all);
    searches_.erase(it);
    stop_watching(name);
    all(error{error_code::unreachable, "the registry did not say by the deadline who publishes it"});
  });
  registry_.want_publishers(name);
}

void finder::attempt(std::uint64_t id) {
  auto waiting = searches_.find(id);
  if (waiting == searches_.end() || waiting->second.asking || !waiting->second.what.node) return;
  auto& s = waiting->second;
  s.asking = true;
  host_.await(*s.what.node, s.what.actor, s.until, [this, id, alive = std::weak_ptr(alive_)](result<bool> here) {
    if (alive.expired()) return;
    auto it = searches_.find(id);
    if (it == searches_.end()) return;
    it->second.asking = false;
    if (here && *here) return finish(id, it->second.what);
    if (!here) {
      it->second.last = here.error();
      if (here.error().code == error_code::refused || here.error().code == error_code::bad_argument)
        finish(id, here.error());
    }
  });
}

void finder::finish(std::uint64_t id, result<address> answer) {
  auto node = searches_.extract(id);
  if (node.empty()) return;
  auto& s = node.mapped();
  if (!s.what.node) stop_watching(s.what.actor);
  s.done(std::move(answer));
}

void finder::stop_watching(const actor_name& name) {
  if (is_looked_for(name)) return;
  registry_.unwant_publishers(name);
  publishers_.erase(name);
}

bool finder::is_looked_for(const actor_name& name) const {
  return std::any_of(searches_.begin(), searches_.end(), [&](const auto& s) {
    return s.second.what == address{{}, name};
  });
}

std::vector<address> finder::living(const actor_name& name) const {
  std::vector<address> out;
  auto it = publishers_.find(name);
  if (it == publishers_.end()) return out;
  for (const auto& id : it->second) {
    const auto* known = nodes_.find(id);
    // A node that only the registry's list of publishers names is one that nobody has looked at yet.
    if (!known || known->state == node_state::alive || known->state == node_state::suspect) out.push_back({id, name});
  }
  return out;
}

void finder::publishers(const actor_name& name, const std::set<node_id>& nodes) {
  const whole_at_end look([this] { return check(); });
  publishers_[name] = nodes;
  const auto there = living(name);
  std::vector<std::uint64_t> one;
  std::vector<found_all> all;
  for (auto it = searches_.begin(); it != searches_.end();) {
    const bool ours = it->second.what == address{{}, name};
    if (ours && it->second.all) {
      all.push_back(std::move(it->second.all));
      it = searches_.erase(it);
      continue;
    }
    if (ours && !there.empty()) one.push_back(it->first);
    ++it;
  }
  for (const auto id : one) finish(id, there.front());
  for (const auto& done : all) done(there);
  if (!all.empty()) stop_watching(name);
}

void finder::node_changed(const node_id& id) {
  std::vector<std::uint64_t> again;
  for (const auto& [key, s] : searches_)
    if (s.what.node == id) again.push_back(key);
  for (const auto key : again) attempt(key);
}

void finder::close() {
  const whole_at_end look([this] { return check(); });
  alive_.reset();
  auto searches = std::exchange(searches_, {});
  const error why{error_code::shutting_down, "this node is stopping"};
  for (auto& [id, s] : searches) s.done ? s.done(why) : s.all(why);
}

broken finder::check() const {
  for (const auto& [id, s] : searches_) {
    if (!s.done == !s.all) return sentence("the search for ", s.what.str(), " looks for neither one nor all");
    if (s.asking && !s.what.node) return sentence("the search for ", s.what.str(), " asks no node in particular");
  }
  for (const auto& [name, nodes] : publishers_)
    if (!is_looked_for(name)) return sentence("who publishes ", name, " is kept, and nobody looks for it");
  return {};
}

}  // namespace flock
