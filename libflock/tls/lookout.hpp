#pragma once

#include <flock/clock.hpp>

#include <chrono>
#include <optional>

namespace flock::internal {

/// When an alarm is to ring that looks after something which is left alone again and again, as a rule for microseconds:
/// not before it has been left for `patience`, and at most twice that after.
///
/// An alarm that rings costs a message on its way more than the message itself costs, and one that is set a third of
/// that. So as long as the thing is left anew in time, the alarm is put off, each time for twice as long, up to
/// `longest`: after things have gone well for a while, it may take that while until it rings. Pure.
class lookout {
 public:
  using duration = std::chrono::nanoseconds;

  lookout(duration patience, duration longest) : patience_(patience), longest_(longest), step_(patience) {}

  /// It is left alone. \returns how much later the alarm is to ring, instead of when it would; nothing: it is set well
  std::optional<duration> left(time_point now);

  /// The alarm rings, and it is alone. \returns how much later the alarm is to ring again; nothing: it has been alone
  /// for too long
  std::optional<duration> rung(time_point now);

 private:
  const duration patience_;
  const duration longest_;
  duration step_;
  time_point left_at_ = time_point::min();
  time_point rings_at_ = time_point::min();
};

}  // namespace flock::internal
