#pragma once

#include <flock/actor_type.hpp>
#include <flock/deferred.hpp>
#include <flock/error.hpp>
#include <flock/name.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>

namespace flock {

/// Who is to hear that an actor has ended: this node, of actors that it watches anywhere, and whoever watches actors of
/// this node. Lives in one mailbox.
class watches {
 public:
  /// What it asks of its node.
  struct host {
    /// Asks a node, this one included, to answer with a failure when the actor is not there any more; see until_gone().
    /// Answers in this mailbox.
    std::function<void(const node_id&, const actor_name&, responder)> ask_until_gone;
    std::function<bool(const actor_name&)> is_here;
  };

  watches(node_id self, host of) : self_(std::move(self)), host_(std::move(of)) {}

  // Whom this node watches.

  /// From any thread: one for each watch().
  std::uint64_t new_handle() { return next_handle_++; }

  /// Calls f once, with down, when the actor or its node ends; at once if it is not there now. The end of this node is
  /// none of the actor's.
  using told = std::function<void(const error& why)>;
  void watch(std::uint64_t handle, const address& whom, told f);
  void forget(std::uint64_t handle) { watched_.erase(handle); }

  // Who watches actors of this node.

  /// Fails with down when the actor is not published here any more.
  /// Errors: also not_found (it is not published now), refused (too many watch)
  deferred<void> until_gone(const actor_name& name);
  void unpublished(const actor_name& name);

  /// Forgets all: they may hold refs, and with them this node.
  void clear();

  /// Remote watchers of one node's actors; each costs a few hundred bytes here for as long as it watches.
  static constexpr std::size_t max_watchers = 10'000;

 private:
  node_id self_;
  host host_;
  std::atomic<std::uint64_t> next_handle_{1};
  std::map<std::uint64_t, told> watched_;  // by handle
  std::multimap<actor_name, deferred<void>> watchers_;
};

}  // namespace flock
