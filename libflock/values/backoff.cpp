#include "libflock/values/backoff.hpp"

#include <algorithm>

namespace flock::internal {

backoff::backoff(milliseconds first, milliseconds last, std::uint64_t seed)
    : first_(first), last_(last), step_(first), random_(seed) {}

milliseconds backoff::next() {
  const auto pause = std::uniform_int_distribution(step_.count() / 2, step_.count())(random_);
  step_ = std::min(step_ * 2, last_);
  return milliseconds(pause);
}

}  // namespace flock::internal
