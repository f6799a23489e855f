#include <flock/log_limit.hpp>

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

}  // namespace flock
