#pragma once

#include <flock/clock.hpp>

#include <cstddef>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace flock {

/// The last warnings and errors of a node's log, for those who ask how it is. Safe for threads.
class trouble_log {
 public:
  struct line {
    wall_time at{};
    std::string level;
    std::string text;

    friend bool operator==(const line&, const line&) = default;
  };

  static constexpr std::size_t max_lines = 10;
  static constexpr std::size_t max_text = 1'000;  ///< bytes of each; people are told where the whole log is

  /// Keeps it if it is a warning or an error.
  void add(std::string_view level, wall_time at, std::string_view text);

  /// The oldest first.
  std::vector<line> lines() const;

 private:
  mutable std::mutex mutex_;  // guards all below
  std::deque<line> lines_;
};

}  // namespace flock
