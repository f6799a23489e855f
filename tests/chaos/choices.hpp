#pragma once

#include <flock/clock.hpp>

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace flock::chaos {

/// What a test leaves to chance, all from one seed: the same seed makes the same choices. What happens between them is
/// the machine's business, so a failure may not come back at once.
class choices {
 public:
  explicit choices(std::uint64_t seed) : numbers_(seed) {}

  /// FLOCK_CHAOS_SEED, or a new one; the same for all tests of this program, so that each can be replayed alone.
  static std::uint64_t seed();

  int between(int least, int most) { return std::uniform_int_distribution<int>(least, most)(numbers_); }
  milliseconds between(milliseconds least, milliseconds most) {
    return milliseconds(between(static_cast<int>(least.count()), static_cast<int>(most.count())));
  }
  bool one_in(int n) { return between(1, n) == 1; }
  template <class T> const T& one_of(const std::vector<T>& all) {
    assert(!all.empty());
    return all[static_cast<std::size_t>(between(0, static_cast<int>(all.size()) - 1))];
  }
  /// The seed of another one, for another thread.
  std::uint64_t another() { return numbers_(); }

 private:
  std::mt19937_64 numbers_;
};

}  // namespace flock::chaos
