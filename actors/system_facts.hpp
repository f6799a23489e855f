#pragma once

#include "actors/system_view.hpp"
#include <flock/clock.hpp>
#include <flock/error.hpp>

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace flock {

/// What Linux tells of itself in files, read from their text. Pure. Errors, of all: protocol (the text is none of that
/// file's)

/// /etc/os-release: {"ID": "debian", "PRETTY_NAME": ...}. What cannot be understood is left out.
/// Source: os-release(5)
std::map<std::string, std::string> os_release(std::string_view text);

/// /proc/loadavg: of the last 1, 5 and 15 minutes.
result<std::array<double, 3>> load_averages(std::string_view text);

/// /proc/uptime: since the boot.
result<milliseconds> uptime(std::string_view text);

/// /proc/cpuinfo: how many processors the kernel runs on.
result<int> processors(std::string_view text);

struct memory_use {
  std::uint64_t total = 0;      ///< bytes
  std::uint64_t available = 0;  ///< without swapping
};
/// /proc/meminfo
result<memory_use> memory(std::string_view text);

// The same, of a system. Errors also: io

/// Its name and version, for people. Source: os-release(5), which has the second file for where the first is missing
result<std::string> distribution_of(const system_view& system);
result<std::array<double, 3>> load_of(const system_view& system);
result<milliseconds> uptime_of(const system_view& system);
result<int> processors_of(const system_view& system);
result<memory_use> memory_of(const system_view& system);

}  // namespace flock
