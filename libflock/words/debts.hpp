#pragma once

#include "libflock/words/run.hpp"
#include <flock/name.hpp>

#include <cstdint>
#include <functional>
#include <string>

namespace flock {

/// What runs owe: actions that are wanted, until each is a notification that its courier keeps, or is said not to be
/// sent. What is entered here is durable no later than anything else that the same turn or a later one writes.
class debts {
 public:
  using number = std::uint64_t;  ///< of an entry; never 0

  virtual ~debts() = default;

  /// Something is wanted because of a run: now, or when it has ended.
  virtual number owe(const std::string& run, const wanted_action& what, bool now) = 0;
  /// What was owed for the end of the run is to be sent: it ended as `on` says.
  virtual void due(number n, const std::string& run, const wanted_action& what) = 0;

  /// A step of a run is about to act, and what it updates would be owed: if this process ends in the middle, the next
  /// life can say so. Calls `begin` once with the entry's number, now or later: the step may begin.
  virtual void intend(const std::string& run, const resource_name& what, const std::string& action,
                      std::function<void(number)> begin) = 0;

  /// It was sent, or said not to be; or the step has ended.
  virtual void settle(number n) = 0;
};

}  // namespace flock
