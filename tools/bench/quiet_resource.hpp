#pragma once

#include <flock/clock.hpp>
#include <flock/value.hpp>
#include <flock/value_cast.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace flock::bench {

/// A resource whose action does nothing but remember when it was started.
struct quiet_resource {
  static constexpr const char* name = "execute[nothing]";
  /// What fits into one answer by far.
  static constexpr std::size_t page = 50'000;

  std::vector<std::int64_t> started;  ///< nanoseconds on the monotonic clock, which all processes of a machine share

  void run(const value&) { started.push_back(system_clock().now().time_since_epoch().count()); }

  /// The starts from this one on, at most a page.
  std::vector<std::int64_t> starts(std::int64_t from) {
    const auto begin = std::min(static_cast<std::size_t>(from), started.size());
    const auto end = std::min(begin + page, started.size());
    return {started.begin() + static_cast<std::ptrdiff_t>(begin), started.begin() + static_cast<std::ptrdiff_t>(end)};
  }

  template <class Api> static void describe(Api& api) {
    api.method("run", &quiet_resource::run).method("starts", &quiet_resource::starts);
  }
};

}  // namespace flock::bench
