#pragma once

#include <flock/error.hpp>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flock::ctl {

/// An option that some command takes.
struct option {
  std::string_view name;   ///< without its dashes
  std::string_view value;  ///< what follows it: empty if nothing does; "a|b" if it must be one of these
  std::string_view does;
  bool repeats = false;
  std::string_view alone{};  ///< its value if none of its choices follows; empty if one must
  std::string_view shown{};  ///< what help calls the value, if its choices are too many for that
};

/// The words of a command line, taken apart.
struct arguments {
  std::map<std::string, std::vector<std::string>, std::less<>> options;
  std::vector<std::string> operands;
  /// What is wrong if there is an operand too many: it may be meant as the value of an option that can stand alone.
  std::optional<error> doubt;

  bool has(std::string_view option) const { return options.find(option) != options.end(); }
  std::optional<std::string> one(std::string_view option) const;
  std::vector<std::string> all(std::string_view option) const;
};

/// Options stand anywhere, as "--name value" or "--name=value"; what comes after "--" is no option. "-1" is an operand.
/// Errors: bad_argument (names what is wrong, and the nearest option)
result<arguments> parse_arguments(const std::vector<std::string>& words, const std::vector<option>& known);

/// The one of these that a misspelt word most likely means.
std::optional<std::string_view> nearest(std::string_view word, const std::vector<std::string_view>& known);

}  // namespace flock::ctl
