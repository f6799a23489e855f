#include "libflock/calls/links.hpp"

namespace flock {

using internal::sentence;
using internal::whole_at_end;

links::links(node_id self, transport& network, const directory& nodes, membership& registry, call_table& calls)
    : self_(std::move(self)), network_(network), nodes_(nodes), registry_(registry), calls_(calls) {}

const hello* links::peer(const node_id& id) const {
  auto it = peers_.find(id);
  return it == peers_.end() ? nullptr : &it->second;
}

void links::dial(const node_id& id, link& to) {
  const auto* known = nodes_.find(id);
  if (!known || known->life.address.empty() || known->life.address == to.dialled) return;
  to.dialled = known->life.address;
  network_.dial(id, to.dialled);
}

void links::want(const node_id& id) {
  const whole_at_end look([&] { return check(id); });
  if (id == self_) return;
  auto [it, fresh] = wanted_.try_emplace(id);
  if (fresh) registry_.want_node(id);
  if (!peers_.contains(id)) dial(id, it->second);
}

void links::send_when_connected(const node_id& to, message m) {
  const whole_at_end look([&] { return check(to); });
  want(to);
  wanted_[to].waiting.push_back(std::move(m));
  if (const auto* p = peer(to)) connected(hello(*p));
}

void links::connected(const hello& peer) {
  const whole_at_end look([&] { return check(peer.id); });
  peers_.insert_or_assign(peer.id, peer);
  auto it = wanted_.find(peer.id);
  if (it == wanted_.end()) return;
  auto waiting = std::exchange(it->second.waiting, {});
  for (auto& m : waiting) {
    if (!calls_.sent(m.id)) continue;  // answered meanwhile, that it was surely not done
    if (auto taken = network_.send(peer.id, m); !taken) calls_.settle(peer.id, m.id, taken.error());
  }
}

void links::disconnected(const node_id& id) { peers_.erase(id); }

void links::dial_failed(const node_id& id, const error& why) {
  if (auto it = wanted_.find(id); it != wanted_.end()) it->second.waiting.clear();
  calls_.give_up(id, why.within("cannot reach " + id.str()));
}

void links::address_changed(const node_id& id) {
  auto it = wanted_.find(id);
  if (it != wanted_.end() && !peers_.contains(id)) dial(id, it->second);
}

void links::unknown(const node_id& id) {
  auto it = wanted_.find(id);
  if (it == wanted_.end() || !it->second.dialled.empty()) return;
  it->second.waiting.clear();
  calls_.give_up(id, {error_code::not_found, "no node named " + id.str()});
}

void links::ended(const node_id& id) {
  auto it = wanted_.find(id);
  if (it == wanted_.end()) return;
  network_.hang_up(id);
  it->second.dialled.clear();
}

broken links::check() const {
  for (const auto& [id, p] : peers_)
    if (auto why = check(id)) return why;
  return check(self_);
}

broken links::check(const node_id& id) const {
  const auto* connected = peer(id);
  const auto at = wanted_.find(id);
  if (id == self_ && (connected || at != wanted_.end())) return sentence(id, " wants a connection with itself");
  if (connected && connected->id != id) return sentence(connected->id, " is connected as ", id);
  if (connected && at != wanted_.end() && !at->second.waiting.empty())
    return sentence(at->second.waiting.size(), " calls wait for ", id, ", which is connected");
  return {};
}

}  // namespace flock
