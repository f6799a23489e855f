#pragma once

#include <chrono>

namespace flock::bench {

/// The time since it was made. On Linux all processes of a machine share this clock.
class stopwatch {
 public:
  using clock = std::chrono::steady_clock;

  double seconds() const { return std::chrono::duration<double>(clock::now() - begin_).count(); }
  double milliseconds() const { return seconds() * 1e3; }
  double microseconds() const { return seconds() * 1e6; }

 private:
  clock::time_point begin_ = clock::now();
};

}  // namespace flock::bench
