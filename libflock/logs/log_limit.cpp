#include "libflock/logs/log_limit.hpp"

#include <utility>

namespace flock {

std::optional<std::uint64_t> log_limit::pass(time_point now) {
  if (!began_ || now - *began_ >= period) {
    began_ = now;
    passed_ = 0;
  }
  if (passed_ == lines) {
    ++left_out_;
    return std::nullopt;
  }
  ++passed_;
  return std::exchange(left_out_, 0);
}

std::optional<std::string> log_limit::pass(time_point now, std::string line) {
  const auto left_out = pass(now);
  if (!left_out) return std::nullopt;
  if (*left_out > 0) line += " (and " + std::to_string(*left_out) + " more that are not shown)";
  return line;
}

}  // namespace flock
