#pragma once

#include "node/control/control_api.hpp"
#include "node/notification_answers.hpp"

#include <functional>
#include <optional>
#include <string>

namespace flock {

/// What is asked of notifications, all of it in the node's home mailbox.
struct notification_desk {
  mailbox& home;
  notification_answers& answers;
  /// Keeps one for the end of the run that is under way, and answers with the id of that run when it is durable.
  /// Errors: as convergence::delay, and debt_journal::when_durable
  std::function<void(const wanted_action& what, const std::optional<std::string>& run, responder done)> delay;
};

const control_topic<notification_desk>& notification_routes();

/// {"notifications": [...]}
control_answer notifications_answer(std::string_view words);

}  // namespace flock
