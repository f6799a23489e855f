#pragma once

#include <flock/clock.hpp>

namespace flock::testing {

/// A clock that stands still until a test moves it. For one thread.
class manual_clock final : public clock {
 public:
  time_point now() const override { return now_; }
  wall_time wall() const override { return std::chrono::floor<milliseconds>(wall_); }

  /// Time passes, on the wall as well.
  void advance(std::chrono::nanoseconds by) {
    now_ += by;
    wall_ += by;
  }

  /// Somebody sets the machine's clock, or it jumps; no time passes.
  void set_wall(wall_time t) { wall_ = t; }

 private:
  // Not 0, so that a test may look back.
  time_point now_{std::chrono::hours(1000)};
  std::chrono::sys_time<std::chrono::nanoseconds> wall_{
      std::chrono::sys_days(std::chrono::year(2026) / std::chrono::January / 31)};
};

}  // namespace flock::testing
