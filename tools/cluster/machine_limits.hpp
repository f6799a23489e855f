#pragma once

#include <flock/error.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace flock::testing {

/// What many processes take together.
struct room {
  std::int64_t descriptors = 0;  ///< of this process
  std::int64_t tasks = 0;        ///< processes and their threads
  std::int64_t memory = 0;       ///< bytes
  std::int64_t disk = 0;         ///< bytes
  std::int64_t ports = 0;        ///< local ones, of connections to one address
};

/// How much room there is, and what bounds it: each limit of the machine, of the control groups around this process and
/// of the process itself. Known before anything is started, so that a thousand processes do not fail at the nine
/// hundredth.
class machine_limits {
 public:
  struct limit {
    std::int64_t room::*of;
    std::string name;  ///< as an administrator knows it, "kernel.pid_max"
    std::int64_t value;
    std::int64_t in_use;
  };

  /// \param folder  where the disk's room is meant
  /// \param root    before /proc and /sys
  static machine_limits read(const std::string& folder, const std::string& root = {});
  explicit machine_limits(std::vector<limit> all) : all_(std::move(all)) {}

  const std::vector<limit>& all() const { return all_; }
  /// Whether so much is there beside what is in use.
  /// Errors: refused (names each limit that stands in the way, its value, and what is needed)
  result<void> allow(const room& needed) const;

 private:
  std::vector<limit> all_;
};

/// Lets this process, and those it starts, have as many descriptors as it is allowed to. Source: RLIMIT_NOFILE of
/// setrlimit(2)
void raise_descriptor_limit();

}  // namespace flock::testing
