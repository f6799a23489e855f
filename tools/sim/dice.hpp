#pragma once

#include <flock/clock.hpp>

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace flock::simulator {

/// All chance in a simulated world comes from here, and so from its seed. It makes its own numbers out of the engine's:
/// the standard's distributions differ between libraries.
class dice {
 public:
  explicit dice(std::uint64_t seed) : engine_(seed) {}

  std::uint64_t number() { return engine_(); }
  std::size_t below(std::size_t n) { return engine_() % n; }
  bool chance(double share) { return static_cast<double>(engine_() >> 11) * 0x1p-53 < share; }
  milliseconds between(milliseconds least, milliseconds most) {
    return least + milliseconds(below(static_cast<std::size_t>((most - least).count()) + 1));
  }
  template <class T> const T& pick(const std::vector<T>& from) { return from[below(from.size())]; }
  template <class T> T pick(std::initializer_list<T> from) { return from.begin()[below(from.size())]; }

 private:
  std::mt19937_64 engine_;
};

}  // namespace flock::simulator
