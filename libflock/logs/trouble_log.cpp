#include "libflock/logs/trouble_log.hpp"

namespace flock {

void trouble_log::add(std::string_view level, wall_time at, std::string_view text) {
  if (level != "warning" && level != "error") return;
  std::lock_guard lock(mutex_);
  lines_.push_back({at, std::string(level), std::string(text.substr(0, max_text))});
  if (lines_.size() > max_lines) lines_.pop_front();
}

std::vector<trouble_log::line> trouble_log::lines() const {
  std::lock_guard lock(mutex_);
  return {lines_.begin(), lines_.end()};
}

}  // namespace flock
