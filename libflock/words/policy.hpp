#pragma once

#include "libflock/values/glob.hpp"
#include <flock/error.hpp>
#include <flock/name.hpp>
#include <flock/value.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flock {

/// Who may ask for what. Pure. Without a file: authenticated nodes of the same environment may notify resources and
/// call actors, nobody else may.
///
/// File form, JSON: {"rules": [{"allow": true|false, "from": {"node": glob, "environment": glob}, "actor": glob,
/// "action": glob}]}. The first rule that fits decides; none fits: refused. A member that is missing fits all. In a
/// glob, * stands for any characters and ? for one; see glob.hpp.
class policy {
 public:
  /// The one that holds without a file.
  explicit policy(std::string own_environment);
  /// Errors: bad_argument (names the rule and the member)
  static result<policy> parse(const value& file);

  struct request {
    std::string_view from;         ///< the id of the asking node
    std::string_view environment;  ///< of the asking node, as it introduced itself
    std::string_view actor;
    std::string_view action;
  };

  /// Errors: refused (the text names who asked for what, and the rule)
  result<void> admits(const request& r) const;

 private:
  struct rule {
    bool allow = false;
    glob node = glob::any();
    glob environment = glob::any();
    glob actor = glob::any();
    glob action = glob::any();
  };
  policy() = default;

  std::optional<std::string> same_environment_;
  std::vector<rule> rules_;
};

}  // namespace flock
