#pragma once

#include <flock/error.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace flock::bench {

/// Microseconds of each of some appends of `bytes` to a new file in the folder, each made durable with fdatasync(2):
/// the floor of a journal for whoever waits for it alone. Errors: io
result<std::vector<double>> sync_times(const std::string& folder, std::size_t bytes, std::size_t count);

/// Durable appends a second when so many threads wait at once: one of them syncs for all that have written meanwhile.
/// Errors: io
result<double> group_sync_rate(const std::string& folder, std::size_t bytes, std::size_t count, std::size_t threads);

}  // namespace flock::bench
