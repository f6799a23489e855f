#pragma once

#include <flock/clock.hpp>
#include <flock/error.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace flock::testing {

/// A child process, in a session and process group of its own. Moves; ends its process when it goes.
class child {
 public:
  struct options {
    std::vector<std::string> command;                ///< the program is looked for in PATH
    std::map<std::string, std::string> environment;  ///< beside this process's own
    std::string log;                                 ///< its output is appended to this file; empty: thrown away
    /// Otherwise it is killed when the thread that started it ends, however that ends.
    bool outlives_us = false;
    std::string output;     ///< a file for its standard output alone; empty: `log` gets it
    std::string without{};  ///< variables of this process that begin so are not passed on; empty: all are
  };

  /// Errors: io (no such program, log or process; the text names it)
  static result<child> start(const options& o);

  child(child&& other) noexcept;
  child& operator=(child&& other) noexcept;
  ~child();

  pid_t pid() const { return pid_; }
  /// How long its log was before it began to write there.
  std::int64_t log_begins() const { return log_begins_; }
  bool is_alive();
  /// To its whole process group; nothing happens if it has ended.
  void signal(int number);
  /// SIGTERM, to itself alone: it ends what it started. A command that it is just about to start is still of its group.
  void ask_to_end();

  /// Waits for its end.
  /// \returns its exit status, 128 and the number if a signal ended it, or nothing if it is alive after `patience`
  std::optional<int> wait(milliseconds patience);
  /// Asks it to end, and kills it and what it left of its group if it has not ended after `patience`.
  int stop(milliseconds patience);
  int kill() { return stop(milliseconds(0)); }

  /// Lets it go on without this object.
  pid_t release();

 private:
  child(pid_t pid, int pidfd, std::int64_t log_begins) : pid_(pid), pidfd_(pidfd), log_begins_(log_begins) {}

  pid_t pid_ = 0;   ///< 0: moved away or released
  int pidfd_ = -1;  ///< readable when it has ended
  std::int64_t log_begins_ = 0;
  std::optional<int> status_;
};

/// A TCP port that nothing on the loopback listens on at this moment.
int free_port();

}  // namespace flock::testing
