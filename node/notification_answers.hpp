#pragma once

#include "libflock/core/node_core.hpp"
#include <flock/actor_type.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flock {

/// What people ask and want of notifications. Each question is answered once, in the shapes of docs/control_api.md:
/// when the courier has come so far, or at the deadline as it then stands. Lives in the node's home mailbox, where all
/// is called.
class notification_answers {
 public:
  using answer = responder;

  explicit notification_answers(node_core& core) : core_(core) {}

  enum class wait_for : std::uint8_t { queued, accepted, completed };
  /// Asks for an action on each node of its location: a list with one element for each target, in the shape of
  /// `flockctl notify`. At the deadline each target is answered as it stands.
  /// Errors: not_found (no such node, or nobody matches), unreachable, refused, bad_argument
  void notify(const wanted_action& what, wait_for state, time_point until, answer done);
  value list(std::optional<receipt_state> state, const std::optional<node_id>& of) const;
  /// Errors: not_found
  result<value> show(const std::string& id) const;
  /// Those of these notifications that have ended, as soon as there is one; at the deadline none.
  /// Errors: not_found (one is not known)
  void await(const std::vector<std::string>& ids, time_point until, answer done);
  /// Takes back a notification of this node that was not sent yet; answers with it.
  /// Errors: not_found, conflict (it may be on its way, has ended, or another node's), io (the disk takes nothing),
  /// maybe_done (nobody can tell by the deadline whether that is durable)
  void cancel(const std::string& id, time_point until, const answer& done);
  /// Sends the same as a notification of this node once more, which has ended without success; answers with the new
  /// one. Errors: not_found, conflict (it succeeded, has not ended, is being tried again, or is another node's), those
  /// of courier::submit, maybe_done (nobody can tell by the deadline whether it is kept)
  void retry(const std::string& id, time_point until, const answer& done);

  /// The first answer that is given, or at the deadline this error.
  answer in_time(time_point until, error otherwise, answer done);

 private:
  /// What there is to tell; nothing yet if there is more to wait for, which there is not at the deadline.
  using look = std::function<std::optional<value>(bool at_deadline)>;
  /// Looks now, whenever a notification moves on, and at the deadline.
  void answer_when(look told, time_point until, answer done);
  std::optional<value> targets_as_they_are(const wanted_action& what, const std::vector<notifier::sent>& targets,
                                           wait_for state, bool at_deadline) const;
  result<const notification_record*> known(const std::string& id) const;
  result<const notification_record*> ours(const std::string& id) const;
  result<void> may_be_retried(const notification_record& r) const;

  node_core& core_;
};

/// A target of which there is no notification here, in the shape of one: {"id","node","resource","action","state",
/// "error"}.
value target_without_notification(const wanted_action& what, std::string_view node, const error& why);

}  // namespace flock
