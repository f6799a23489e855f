#pragma once

#include <flock/clock.hpp>
#include <flock/error.hpp>

#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace flock::testing {

/// A process that leads its group, as a file remembers it: it is never taken for another one that got its pid later.
struct recorded_process {
  std::string name;  ///< what it is in the cluster: "bender0", "zookeeper/1"; no spaces
  pid_t pid = 0;
  std::string birth;  ///< when it was started, and in which boot of the machine

  /// One that runs now. Errors: not_found (none has this pid)
  static result<recorded_process> of(std::string name, pid_t pid);

  /// As a line of text without its end, and back. Errors: bad_argument
  std::string line() const;
  static result<recorded_process> parse(std::string_view line);

  bool is_running() const;
  /// Whether signals to it are refused, as it is another user's.
  bool is_anothers() const;

  /// To its whole group. \returns false if it does not run
  bool signal(int number) const;
  /// SIGTERM, to itself alone: it ends what it started.
  bool ask_to_end() const;

  friend bool operator==(const recorded_process&, const recorded_process&) = default;
};

/// Asks them all to end at once, and kills those that have not ended after `patience`, with what is left of their
/// groups; without any patience it does not ask first. Errors: refused (some are another user's; then nothing was
/// done), io (some do not even end when killed); the text names them
result<void> end_all(const std::vector<recorded_process>& all, milliseconds patience);

/// What /proc/<pid>/stat says. Source: proc(5)
struct process_stat {
  char state = '?';        ///< Z and X: it has ended
  std::string start_time;  ///< in clock ticks since boot

  /// Errors: bad_argument
  static result<process_stat> parse(std::string_view text);
};

}  // namespace flock::testing
