#pragma once

#include <flock/clock.hpp>

#include <cstdint>
#include <random>

namespace flock::internal {

/// How long to wait before the next attempt: twice as long each time, up to a bound, and never quite the same, so that
/// many who failed together do not come back together. Pure.
class backoff {
 public:
  backoff(milliseconds first, milliseconds last, std::uint64_t seed);

  /// The pause before the next attempt: between half and all of `first`, then of 2 x `first`, ... then of `last`.
  milliseconds next();
  void reset() { step_ = first_; }

 private:
  milliseconds first_, last_, step_;
  std::mt19937_64 random_;
};

}  // namespace flock::internal
