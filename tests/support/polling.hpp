#pragma once

#include <chrono>
#include <functional>
#include <thread>

namespace flock::testing {

/// Waits until something that other processes bring about is so.
/// \returns whether it was so in time
inline bool eventually(const std::function<bool()>& is_so,
                       std::chrono::milliseconds patience = std::chrono::seconds(20)) {
  const auto until = std::chrono::steady_clock::now() + patience;
  while (!is_so()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return true;
}

}  // namespace flock::testing
