#pragma once

#include "libflock/calls/actor_host.hpp"
#include "libflock/calls/watches.hpp"
#include "libflock/delivery/notifier.hpp"
#include "libflock/delivery/wish_keeper.hpp"
#include "libflock/words/subscriptions.hpp"
#include <flock/actor_type.hpp>
#include <flock/deferred.hpp>
#include <flock/error.hpp>
#include <flock/name.hpp>
#include <flock/value.hpp>

#include <string_view>
#include <utility>
#include <vector>

namespace flock {

/// The name under which a node answers for itself.
inline constexpr std::string_view node_actor = "flock";

/// What a node answers for itself: an actor like any other, but that it is there from the start, is on no list, answers
/// every node of the flock whatever the policy says, and takes its turns in the node's own mailbox. docs/wire_format.md
/// has its methods as other nodes see them.
class node_service {
 public:
  node_service(node_id self, actor_host& actors, watches& ends, const notifier& notifications, wish_keeper& wishes);

  void ping() const {}
  /// A list of
  /// {"node","name","type","does","methods":[{"name","doc","parameters","returns","streams"}],"waiting","restarts"}.
  std::vector<value> actors() const;
  /// A list of subscription::to_value().
  std::vector<value> subscriptions() const;

  /// Whether the actor is published here, as soon as it is, or when nobody waits any more.
  deferred<bool> await(const asker& by, const actor_name& name);
  /// See watches::until_gone.
  deferred<void> until_gone(const actor_name& name) { return watches_.until_gone(name); }

  /// All that the asker wishes of this node from now on; see wish_keeper::take.
  deferred<void> wishes(const asker& by, std::vector<wish> all);
  /// All that this node wishes of the asker. Answered after resume(): before, it would seem as if that were nothing.
  deferred<std::vector<wish>> wished(const asker& by);

  /// What this node subscribes to is said.
  void resume();

  template <class Api> static void describe(Api& api) {
    api.method("ping", &node_service::ping, "Answers.")
        .method("actors", &node_service::actors, "Lists what is published here.")
        .method("subscriptions", &node_service::subscriptions, "Lists what this node subscribes to.")
        .method("await", &node_service::await, "Tells whether an actor is published here by the deadline.")
        .method("until_gone", &node_service::until_gone, "Fails when an actor is not published here any more.")
        .method("wishes", &node_service::wishes, "Takes all that the asker subscribes to here.")
        .method("wished", &node_service::wished, "Lists what this node subscribes to at the asker.");
  }

 private:
  node_id self_;
  actor_host& actors_;
  watches& watches_;
  const notifier& notifier_;
  wish_keeper& wishes_;
  bool resumed_ = false;
  std::vector<std::pair<node_id, deferred<std::vector<wish>>>> asked_early_;  // before resume()
};

}  // namespace flock
