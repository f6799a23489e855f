#pragma once

#include <flock/clock.hpp>
#include <flock/error.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace flock::bench {

/// What a process costs, as the kernel says. Sizes are in KiB.
struct process_usage {
  double pss = 0;  ///< its memory, with its share of what it shares with others
  double peak_rss = 0;
  int threads = 0;
  int descriptors = 0;
  double cpu_us = 0;  ///< since its start, of all its threads

  /// Errors: io (no such process, or another user's)
  static result<process_usage> of(pid_t pid);
};

/// Lets the peak of a process's memory begin anew. Source: proc(5), clear_refs
void forget_peak_rss(pid_t pid);

/// The number of a line such as "Threads:	9" or "Pss:	12 kB"; nothing if there is none.
std::optional<std::int64_t> number_after(std::string_view text, std::string_view label);

}  // namespace flock::bench
