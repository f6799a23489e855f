#pragma once

#include <flock/error.hpp>

#include <chrono>
#include <string>
#include <string_view>

namespace flock {

using std::chrono::milliseconds;

/// A point on the monotonic clock: for deadlines. It means nothing to another process.
using time_point = std::chrono::steady_clock::time_point;

/// A point on the wall clock, in milliseconds: for people, logs, and expiry that must outlive a process.
using wall_time = std::chrono::time_point<std::chrono::system_clock, milliseconds>;

/// The only part that knows what time it is. Everything else is told; tests advance a clock of their own.
class clock {
 public:
  virtual ~clock() = default;

  virtual time_point now() const = 0;
  virtual wall_time wall() const = 0;
};

/// The clock of this machine. May be called from any thread.
const clock& system_clock();

/// Reads "250ms", "5s", "2m", "24h", "7d".
/// Errors: bad_argument (no unit, an unknown one, negative, or more than 10 years)
result<milliseconds> parse_duration(std::string_view text);

/// The shortest form that parse_duration reads back: 90000 ms is "90s".
std::string format_duration(milliseconds d);

/// RFC 3339, UTC, milliseconds: "2026-01-31T23:59:59.123Z".
std::string format_time(wall_time t);
/// Errors: bad_argument
result<wall_time> parse_time(std::string_view text);

}  // namespace flock
