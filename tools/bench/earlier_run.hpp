#pragma once

#include <flock/error.hpp>
#include <flock/value.hpp>

#include <map>
#include <string>
#include <string_view>

namespace flock::bench {

/// The lines of an earlier run, to compare with.
class earlier_run {
 public:
  /// Errors: bad_argument (names the line)
  static result<earlier_run> parse(std::string_view lines);
  /// Errors: io, bad_argument
  static result<earlier_run> read(const std::string& path);

  /// The line with a member more, if the earlier run measured the same with the same parameters: {"median","ratio",
  /// "floors": [{"what","ratio"}]} as "before". The ratios are those of now to those of then: of the medians, and of
  /// the medians of the ratios to each floor, in which a machine that was slower then does not show.
  value compared(value line) const;

 private:
  std::map<std::string, value, std::less<>> lines_;  ///< by what was measured
};

}  // namespace flock::bench
