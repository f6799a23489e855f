#pragma once

#include <flock/clock.hpp>
#include <flock/error.hpp>

#include <cstddef>
#include <map>
#include <stop_token>
#include <string>

namespace flock {

/// A command line for /bin/sh.
struct command {
  std::string line;
  std::string cwd;   ///< empty: the one of this process
  std::string user;  ///< empty: the one of this process; otherwise with all groups of that user
  /// On top of that of this process, which passes all on but FLOCK_REGISTRY_AUTH, a secret.
  std::map<std::string, std::string> environment;
  milliseconds timeout{3'600'000};
};

/// How a command ended.
struct command_result {
  int exit_status = 0;  ///< as a shell counts: 128 and the signal's number if a signal ended it
  bool timed_out = false;
  bool cancelled = false;
  std::string output;  ///< what came on stdout and stderr: the last `max_output` bytes, below a line that says how many
                       ///< were cut

  static constexpr std::size_t max_output = 64 * 1024;

  bool succeeded() const { return exit_status == 0 && !timed_out && !cancelled; }
  /// "exit status 3", "ended by signal 9 (Killed)", "timed out", "cancelled"
  std::string why() const;
};

/// Runs a command as a process group of its own and waits for it; stdin is empty, and it inherits no descriptors. What
/// it leaves running in the background goes on. When its time is up or `cancel` asks for it, the group gets SIGTERM and
/// after two seconds SIGKILL.
///
/// Errors: io (it cannot be started, as with a missing cwd or a user that this process may not become), bad_argument
/// (no such user), shutting_down (`cancel` had asked already): nothing was run; maybe_done (its exit status was lost)
result<command_result> run_command(const command& what, const std::stop_token& cancel);

}  // namespace flock
