#include "libflock/sqlite/disk_trouble.hpp"

#include <utility>

namespace flock::internal {

std::optional<disk_trouble::line> disk_trouble::met(const fault& what, std::size_t waiting, time_point now) {
  if (!now_) since_ = now;
  now_ = error{error_code::io, what.what};
  last_ = what.what;
  if (!logged_.insert(what.what).second) return {};
  return line{"error", what.what + "; " + std::to_string(waiting) + " writes wait, and are tried again"};
}

std::optional<disk_trouble::line> disk_trouble::over(time_point now) {
  if (!std::exchange(now_, {})) return {};
  logged_.clear();
  const auto took = std::chrono::duration_cast<milliseconds>(now - since_);
  return line{"warning", "the disk takes writes again, after " + format_duration(took)};
}

}  // namespace flock::internal
