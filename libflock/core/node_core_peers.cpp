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
    confirm_wishes(peer.id);
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
  look_again();
}

void node_core::listed(const node_id& id, const node_life& life) {
  absent_.erase(id);
  directory_changed(directory_.listed(id, life, now(), wall()));
  links_.address_changed(id);
  finder_.node_changed(id);
  look_again();
}

void node_core::unlisted(const node_id& id) {
  if (!directory_.find(id)) absent_.insert(id);
  directory_changed(directory_.unlisted(id, now(), wall()));
  if (!directory_.find(id)) links_.unknown(id);
  look_again();
}

void node_core::described(const node_id& id, const node_attributes& about) {
  described_.insert(id);
  directory_.described(id, about);
  notifier_.nodes_changed();
  look_again();
}

void node_core::publishers(const actor_name& name, const std::set<node_id>& nodes) { finder_.publishers(name, nodes); }

void node_core::lists_read() {
  notifier_.nodes_changed();
  look_again();
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
  options_.about = about;
  options_.self.environment = about.environment;
  seams_.network.introduce(options_.self);
  directory_.described(id(), about);
  membership_.describe(about);
}

void node_core::nodes(std::optional<location> where, time_point until, nodes_known done) {
  auto all = [this] {
    std::vector<node_info> out;
    for (const auto* n : directory_.all()) out.push_back(*n);
    return out;
  };
  // Whoever asks for no one in particular wants to see what is known now, rather than wait for more.
  if (!where && registry_state() != session_state::ready) {
    membership_.want_all();
    return done(all());
  }
  // A condition that no name satisfies makes look_up read the lists of all nodes.
  location everything;
  everything.query = "*:*";
  look_up(where.value_or(everything), until, [this, all, where, done = std::move(done)](result<void> known) {
    if (!known) return done(known.error());
    if (!where) return done(all());
    std::vector<node_info> out;
    auto selected = directory_.select(*where);
    if (!selected) return done(selected.error());
    for (const auto& one : *selected)
      if (const auto* n = directory_.find(one)) out.push_back(*n);
    done(std::move(out));
  });
}

/// Whether the registry was asked and does not know it. Its lists tell of those that are not watched one by one.
bool node_core::is_absent(const node_id& node) const {
  if (directory_.find(node)) return false;
  return absent_.contains(node) || (membership_.lists_known() && !membership_.watches_node(node));
}

void node_core::look_up(const location& where, time_point until, std::function<void(result<void>)> done) {
  if (where.only_names())
    for (const auto& id : where.nodes)
      if (!directory_.find(id)) membership_.want_node(id);
  if (!where.only_names()) membership_.want_all();
  const auto request = next_look_up_++;
  looking_up_.emplace(request, look_up_request{where, until, std::move(done)});
  look_again();
  if (looking_up_.contains(request)) home_->post_at(until, [this] { look_again(); });
}

std::optional<result<void>> node_core::looked_up(const look_up_request& l) const {
  const bool in_time = now() < l.until;
  if (!l.where.only_names()) {
    if (membership_.lists_known()) return result<void>();
    if (in_time) return {};
    if (directory_.size() > 1) return result<void>();  // what is known without the registry
    return error{error_code::unreachable, "the registry cannot be asked who is there"};
  }
  for (const auto& id : l.where.nodes) {
    if (directory_.find(id) || described_.contains(id)) continue;
    if (is_absent(id)) return error{error_code::not_found, "no node named " + id.str()};
    if (in_time) return {};
    return error{error_code::unreachable, "nothing is known of " + id.str() + ", and the registry cannot be asked"};
  }
  return result<void>();
}

void node_core::look_again() {
  std::vector<std::pair<std::function<void(result<void>)>, result<void>>> answered;
  for (auto it = looking_up_.begin(); it != looking_up_.end();) {
    auto known = looked_up(it->second);
    if (!known) {
      ++it;
      continue;
    }
    answered.emplace_back(std::move(it->second.done), *known);
    it = looking_up_.erase(it);
  }
  for (auto& [done, known] : answered) done(known);
}

}  // namespace flock
