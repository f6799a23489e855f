#include "libflock/tls/lookout.hpp"

#include <algorithm>

namespace flock::internal {

std::optional<lookout::duration> lookout::left(time_point now) {
  left_at_ = now;
  if (rings_at_ >= now + patience_) return {};
  const bool has_rung = rings_at_ <= now;
  step_ = has_rung ? 2 * patience_ : std::min(2 * step_, longest_);
  rings_at_ = now + step_;
  return step_;
}

std::optional<lookout::duration> lookout::rung(time_point now) {
  const auto due = left_at_ + patience_;
  if (due <= now) return {};
  rings_at_ = due;
  return due - now;
}

}  // namespace flock::internal
