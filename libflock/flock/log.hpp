#pragma once

#include <flock/clock.hpp>
#include <flock/error.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace flock {

enum class log_level : std::uint8_t { debug = 1, info, warning, error };

std::optional<log_level> log_level_from(std::string_view name);

/// Lines for the log, on stderr, where systemd and every supervisor expects them:
///
///     at=2026-01-31T23:59:59.123Z level=warning node=bender0 msg="registry: suspended"
///
/// One write for each line, so that those of several threads do not mix.
class logger {
 public:
  logger(const clock& time, std::string node, log_level from) : time_(time), node_(std::move(node)), from_(from) {}

  void operator()(std::string_view level, std::string_view text) const;

  /// The line without its end. Quotes, backslashes and control characters of the text are escaped.
  static std::string line(wall_time at, std::string_view level, std::string_view node, std::string_view text);

 private:
  const clock& time_;
  std::string node_;
  log_level from_;
};

}  // namespace flock
