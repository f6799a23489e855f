#pragma once

#include <flock/error.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace flock {

/// The system below this process, as actors look at it: files of the kernel and of the distribution, and what only
/// calls tell. In production this_system(), in tests and in the simulator one of fixed texts. Safe for threads.
class system_view {
 public:
  struct kernel {
    std::string name;          ///< "Linux"
    std::string release;       ///< "6.1.0-18-amd64"
    std::string architecture;  ///< "x86_64"
  };
  struct space {
    std::uint64_t total = 0;      ///< bytes
    std::uint64_t available = 0;  ///< to those who are not root
  };

  virtual ~system_view() = default;

  /// The whole of a small file, as it is now. Errors: io
  virtual result<std::string> read(const std::string& path) const = 0;
  /// Errors: io
  virtual result<kernel> running() const = 0;
  /// Of the file system that this folder is on. Errors: io
  virtual result<space> disk_of(const std::string& folder) const = 0;
  /// Those of its interfaces, but for the loopback's.
  virtual std::vector<std::string> addresses() const = 0;
  /// The versions of what this process is made of, by name.
  virtual std::map<std::string, std::string> versions() const = 0;
};

const system_view& this_system();

}  // namespace flock
