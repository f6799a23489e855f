#include "tests/bench/process_usage.hpp"

#include "tools/cluster/files.hpp"

#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

namespace flock::bench {

namespace {

using testing::contents;

/// Of all threads: schedstat counts nanoseconds, where stat counts ticks of 10 ms. Source: proc(5)
double cpu_us_of(const std::string& process) {
  double nanoseconds = 0;
  std::error_code gone;
  for (const auto& thread : std::filesystem::directory_iterator(process + "/task", gone)) {
    const auto text = contents(thread.path().string() + "/schedstat");
    std::int64_t running = 0;
    std::from_chars(text.data(), text.data() + text.size(), running);
    nanoseconds += static_cast<double>(running);
  }
  return nanoseconds / 1e3;
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
  if (!pss || !peak || !threads || denied) return error{error_code::io, process + " cannot be read"};
  return process_usage{static_cast<double>(*pss), static_cast<double>(*peak), static_cast<int>(*threads),
                       static_cast<int>(std::distance(begin(descriptors), end(descriptors))), cpu_us_of(process)};
}

void forget_peak_rss() { std::ofstream("/proc/self/clear_refs") << 5; }

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
