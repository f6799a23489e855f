#pragma once

#include "libflock/core/node_core.hpp"
#include "node/control/control_backend.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flock {

/// What the control API asks and wants of notifications; see control_backend, whose errors these are. Each is answered
/// once: when the courier has come so far, or at the deadline as it then stands. Lives in the node's home mailbox,
/// where all is called.
class notification_answers {
 public:
  using answer = control_backend::answer;
  using wait_for = control_backend::wait_for;

  explicit notification_answers(node_core& core) : core_(core) {}

  void notify(const wanted_action& what, wait_for state, time_point until, answer done);
  value list(std::optional<receipt_state> state, const std::optional<node_id>& of) const;
  result<value> show(const std::string& id) const;
  void await(const std::vector<std::string>& ids, time_point until, answer done);
  void cancel(const std::string& id, time_point until, const answer& done);
  void retry(const std::string& id, time_point until, const answer& done);

 private:
  /// What there is to tell; nothing yet if there is more to wait for, which there is not at the deadline.
  using look = std::function<std::optional<value>(bool at_deadline)>;
  /// Looks now, whenever a notification moves on, and at the deadline.
  void answer_when(look told, time_point until, answer done);
  /// The first answer, or at the deadline this error.
  answer in_time(time_point until, error otherwise, answer done);

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
