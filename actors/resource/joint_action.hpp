#pragma once

#include "actors/resource/action_context.hpp"
#include <flock/actor_type.hpp>
#include <flock/error.hpp>
#include <flock/value.hpp>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace flock {

/// An action that is performed once, for all who asked for it before it began: there is always one who did. Pure.
class joint_action {
 public:
  struct waiter {
    action_context why;
    beginning begin;  ///< asked whenever the action begins: whether this one still wants it
    responder answer;
  };

  joint_action(std::string action, waiter first);

  const std::string& name() const { return action_; }
  std::size_t waiters() const { return waiters_.size(); }
  /// Why the first one asked.
  const action_context& first_reason() const { return waiters_.front().why; }
  /// Why it is performed: with what all of them say.
  action_context why() const;

  void join(waiter a);
  /// Who asked, for another one to go on with.
  std::vector<waiter> release() && { return std::move(waiters_); }

  /// It begins, or begins again: those who do not want it any more, as their time has passed and somebody else has
  /// answered them, wait no longer. \returns whether anybody wants it; if not, this object is of no more use
  bool begin();

  /// Answers all: those who joined with the member "performed_with", the id of the notification that was the first to
  /// ask, if it is a map.
  void tell(const result<value>& how) const;

 private:
  std::string action_;
  std::vector<waiter> waiters_;
};

}  // namespace flock
