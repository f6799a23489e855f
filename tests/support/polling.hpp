#pragma once

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
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

/// Of a file; empty if there is none.
inline std::string contents(const std::filesystem::path& path) {
  std::ostringstream out;
  if (std::ifstream in(path); in) out << in.rdbuf();
  return out.str();
}

}  // namespace flock::testing
