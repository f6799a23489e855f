#include "libflock/core/node_core.hpp"

// Other nodes, as the transport and the registry see them.

namespace flock {

// Connections, as the transport sees them.

void node_core::connected(const hello& peer) {
  post([this, peer] {
    directory_changed(directory_.connected(peer.id, {peer.life, peer.address, peer.version, {}}, now(), wall()));
    links_.connected(peer);
    courier_.connected(peer);
    notifier_.connected(peer.id);
    wishes_.connected(peer.id);
    finder_.node_changed(peer.id);
  });
}

void node_core::disconnected(const hello& peer, const error& why) {
  calls_.orphan(peer.id);
  post([this, peer, why] {
    links_.disconnected(peer.id);
    courier_.disconnected(peer);
    if (why.code == error_code::shutting_down) {
      directory_changed(directory_.said_goodbye(peer.id, peer.life, now(), wall()));
    } else {
      directory_changed(directory_.disconnected(peer.id, peer.life, now(), wall()));
      // Whoever dialled: to know within milliseconds whether its process is gone, somebody has to knock.
      links_.want(peer.id);
    }
  });
}

void node_core::dial_failed(const node_id& peer, dial_failure how, const error& why) {
  post([this, peer, why, how] {
    if (peer == id()) return rival_answered(why, how);
    links_.dial_failed(peer, why);
    directory_changed(directory_.dial_failed(peer, how == dial_failure::nobody_listens, now(), wall()));
    const auto* known = directory_.find(peer);
    if (known && known->state == node_state::dead) links_.ended(peer);
  });
}

void node_core::rival_answered(const error& why, dial_failure how) {
  seams_.network.hang_up(id());
  if (!taken_by_) return;
  if (how == dial_failure::nobody_listens) return membership_.take_over(taken_by_->life);
  if (how != dial_failure::rejected) return;  // no answer: its session will end, or it will answer
  log("error", "another node is called " + id().str() + ", at " + taken_by_->address + ": " + why.what);
  settle(error{error_code::conflict, "another node at " + taken_by_->address + " is called " + id().str()});
}

// Nodes, as the registry sees them.

void node_core::registry_changed(session_state now_is) {
  directory_.registry_reachable(now_is == session_state::ready);
  if (now_is == session_state::lost) joined_ = false;
  log(now_is == session_state::ready ? "info" : "warning", "registry: " + std::string(to_string(now_is)));
  add_event("registry", {{"state", std::string(to_string(now_is))}});
  if (now_is == session_state::ready)
    for (const auto& dead : directory_.listed_dead()) links_.want(dead);
  look_ups_.registry_changed();
}

void node_core::listed(const node_id& id, const node_life& life) {
  directory_changed(directory_.listed(id, life, now(), wall()));
  links_.address_changed(id);
  finder_.node_changed(id);
  look_ups_.listed(id);
}

void node_core::unlisted(const node_id& id) {
  directory_changed(directory_.unlisted(id, now(), wall()));
  if (!directory_.find(id)) links_.unknown(id);
  look_ups_.unlisted(id);
}

void node_core::described(const node_id& id, const node_attributes& about) {
  directory_.described(id, about);
  notifier_.nodes_changed();
  look_ups_.described(id);
}

void node_core::publishers(const actor_name& name, const std::set<node_id>& nodes) { finder_.publishers(name, nodes); }

void node_core::lists_read() {
  notifier_.nodes_changed();
  look_ups_.registry_changed();
}

void node_core::directory_changed(const directory::changes& changes) {
  for (const auto& c : changes) {
    const bool over = c.now == node_state::dead || c.now == node_state::left;
    const auto former = std::exchange(lives_[c.id], c.life);
    if (over || (c.before && former != c.life))
      calls_.lose(c.id, {error_code::down, c.id.str() + (c.now == node_state::left ? " left"
                                                         : over                    ? " died"
                                                                                   : " was restarted")});
    // Another life may follow without a word of the registry's, and at another address.
    over ? links_.ended(c.id) : links_.address_changed(c.id);
    const auto type = c.now == node_state::alive     ? "joined"
                      : c.now == node_state::suspect ? "suspect"
                      : c.now == node_state::dead    ? "failed"
                                                     : "left";
    add_event(type, {{"peer", c.id.str()}, {"incarnation", c.life.str()}});
    finder_.node_changed(c.id);
  }
  if (!changes.empty()) notifier_.nodes_changed();
}

void node_core::describe(const node_attributes& about) {
  assert_home();
  options_.about = about;
  options_.self.environment = about.environment;
  seams_.network.introduce(options_.self);
  directory_.described(id(), about);
  membership_.describe(about);
}

}  // namespace flock
