#include "tools/bench/process_usage.hpp"

#include "tools/cluster/files.hpp"

#include <algorithm>
#include <charconv>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

namespace flock::bench {

namespace {

using testing::contents;

/// Of all its threads, those that have ended too, in nanoseconds where /proc has ticks of 10 ms.
std::optional<double> cpu_us_of(pid_t pid) {
  clockid_t clock{};
  timespec used{};
  if (::clock_getcpuclockid(pid, &clock) != 0 || ::clock_gettime(clock, &used) != 0) return std::nullopt;
  return static_cast<double>(used.tv_sec) * 1e6 + static_cast<double>(used.tv_nsec) / 1e3;
}

}  // namespace

result<process_usage> process_usage::of(pid_t pid) {
  const auto process = "/proc/" + std::to_string(pid);
  const auto status = contents(process + "/status");
  const auto pss = number_after(contents(process + "/smaps_rollup"), "Pss:");
  const auto peak = number_after(status, "VmHWM:");
  const auto threads = number_after(status, "Threads:");
  std::error_code denied;
  const std::filesystem::directory_iterator descriptors(process + "/fd", denied);
  const auto cpu = cpu_us_of(pid);
  if (!pss || !peak || !threads || denied || !cpu) return error{error_code::io, process + " cannot be read"};
  return process_usage{static_cast<double>(*pss), static_cast<double>(*peak), static_cast<int>(*threads),
                       static_cast<int>(std::distance(begin(descriptors), end(descriptors))), *cpu};
}

void forget_peak_rss(pid_t pid) { std::ofstream("/proc/" + std::to_string(pid) + "/clear_refs") << 5; }

std::optional<std::int64_t> number_after(std::string_view text, std::string_view label) {
  for (auto at = text.find(label); at != std::string_view::npos; at = text.find(label, at + 1)) {
    if (at > 0 && text[at - 1] != '\n') continue;
    text.remove_prefix(at + label.size());
    text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
    std::int64_t number = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failed != std::errc()) return std::nullopt;
    return number;
  }
  return std::nullopt;
}

}  // namespace flock::bench
