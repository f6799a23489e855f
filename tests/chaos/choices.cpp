#include "tests/chaos/choices.hpp"

#include <cstdlib>

namespace flock::chaos {

std::uint64_t choices::seed() {
  static const std::uint64_t seed = [] {
    const char* given = std::getenv("FLOCK_CHAOS_SEED");
    return given ? std::strtoull(given, nullptr, 10) : std::random_device()();
  }();
  return seed;
}

}  // namespace flock::chaos
