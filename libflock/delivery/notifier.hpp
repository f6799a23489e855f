#pragma once

#include "libflock/membership/directory.hpp"
#include "libflock/values/invariant.hpp"
#include "libflock/words/location.hpp"
#include "libflock/words/notification.hpp"
#include "libflock/words/run.hpp"
#include "libflock/words/subscriptions.hpp"
#include <flock/clock.hpp>
#include <flock/error.hpp>
#include <flock/name.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace flock {

/// From "that action, there" to one notification for each target, and from this node's subscriptions to what each
/// publisher is told. Lives in one mailbox.
///
/// Holds: no publisher is told wishes that none of this node's subscriptions has, nor this node itself.
class notifier {
 public:
  /// What it asks of its node. All called in this mailbox, the answers too.
  struct host {
    /// Answers when every node that the location may mean is known as well as it can be by then.
    std::function<void(const location&, time_point until, std::function<void(result<void>)>)> look_up;
    std::function<void(notification, std::function<void(result<void>)> taken)> submit;
    /// Tells a connected publisher all that this node wishes of it.
    std::function<void(const node_id&, std::vector<wish>, std::function<void(result<void>)>)> tell_wishes;
    std::function<void(const node_id&)> want_connection;
    std::function<bool(const node_id&)> is_connected;
    std::function<void(const location&)> watch;  ///< keep knowing which nodes it means
    std::function<void(std::function<void()>)> retry_soon;
    std::function<void(time_point, std::function<void()>)> at;
  };

  /// One target of what was asked for.
  struct sent {
    std::string id;  ///< of the notification; empty if none was made
    node_id target;
    result<void> taken;
  };
  using all_sent = std::function<void(result<std::vector<sent>>)>;

  /// \param id_prefix  unique for this life of the node; notifications are numbered behind it
  notifier(node_id self, std::string id_prefix, const clock& time, milliseconds ttl, const directory& nodes, host of);

  /// A notification with the next id, made now.
  notification make(const node_id& target, const actor_name& actor, std::string action, value::list arguments,
                    std::vector<cause> causes);

  /// Makes and submits a notification for each node of the location; answers when the outbox has taken or refused all,
  /// or at `until`, however long the disk takes: with maybe_done for those of which nobody can tell yet.
  /// \param submitted  called in the turn in which all are given to the outbox, so that what is put into the journal
  /// there is written with them; not if there is an error
  /// Errors: not_found (nobody matches), unreachable (nobody can tell who matches), bad_argument
  void send(wanted_action what, time_point until, all_sent done, std::function<void()> submitted = {});

  /// The same once more: with the next id, made now.
  notification again(const notification& of);

  // This node as a publisher.

  /// Takes all that a subscriber wishes of this node. \returns whether that is news, which is to be kept
  /// Errors: refused (too many)
  result<bool> wishes_of(const node_id& subscriber, std::vector<wish> wishes);
  const subscription_table& subscribers() const { return table_; }
  /// What subscribers want when this resource was updated.
  std::vector<wanted_action> wanted_by_subscribers(const resource_name& updated) const;

  // This node as a subscriber.
  void subscribe(std::vector<subscription> all);
  const std::vector<subscription>& subscriptions() const { return ours_; }
  /// All that this node wishes of a publisher.
  std::vector<wish> wishes_for(const node_id& publisher) const;

  // What happened.
  void connected(const node_id& id);
  /// The directory knows more or other nodes now.
  void nodes_changed();

  broken check() const;

 private:
  void tell(const node_id& publisher);

  node_id self_;
  std::string id_prefix_;
  const clock& time_;
  milliseconds ttl_;
  const directory& nodes_;
  host host_;
  std::uint64_t next_ = 1;
  subscription_table table_;
  std::vector<subscription> ours_;
  /// What each publisher was told of our wishes; nothing: nobody knows which of them it heard or remembers.
  std::map<node_id, std::optional<std::vector<wish>>> told_;
};

}  // namespace flock
