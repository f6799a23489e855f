#pragma once

#include <flock/clock.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace flock {

/// Keeps a flood of one kind of event from becoming a flood of lines in the log. Pure.
class log_limit {
 public:
  /// \returns nothing if this line is one too many, else how many were left out since the last one that passed
  std::optional<std::uint64_t> pass(time_point now);
  /// The same for one line. \returns it as it is to be logged: it tells how many were left out before
  std::optional<std::string> pass(time_point now, std::string line);

  static constexpr int lines = 10;  ///< in one period: enough to see what it is
  static constexpr milliseconds period{10'000};

 private:
  std::optional<time_point> began_;
  int passed_ = 0;
  std::uint64_t left_out_ = 0;
};

}  // namespace flock
