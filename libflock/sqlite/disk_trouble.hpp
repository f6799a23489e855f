#pragma once

#include "libflock/sqlite/sqlite_database.hpp"
#include <flock/clock.hpp>
#include <flock/error.hpp>

#include <cstddef>
#include <optional>
#include <set>
#include <string>

namespace flock::internal {

/// What is wrong with a disk, for those who ask and for the log: one line for each thing that is wrong and one when it
/// is over, however often it is tried meanwhile. Pure.
class disk_trouble {
 public:
  struct line {
    const char* level;
    std::string text;
  };

  /// \param waiting  how many writes wait for it
  std::optional<line> met(const fault& what, std::size_t waiting, time_point now);
  std::optional<line> over(time_point now);

  const std::optional<error>& now() const { return now_; }
  /// The latest one, also when it is over; empty if there was none.
  const std::string& last() const { return last_; }
  /// Of what is no trouble any more, but was.
  void remember(const std::string& what) { last_ = what; }

 private:
  std::optional<error> now_;
  std::string last_;
  time_point since_{};
  std::set<std::string> logged_;  // of what is wrong now
};

}  // namespace flock::internal
