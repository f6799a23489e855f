#pragma once

#include <flock/error.hpp>
#include <flock/notification.hpp>
#include <flock/value.hpp>

#include <string>
#include <vector>

namespace flock {

/// Why an action is performed: the optional first argument of each action of a resource.
struct action_context {
  std::string run;            ///< its id; empty if it is performed outside of any run
  bool why_run = false;       ///< only say what would be done
  std::vector<cause> causes;  ///< of the notification that asked for it; the oldest first

  /// JSON form: {"run","why_run","causes":[{"node","resource","action"}]}.
  value to_value() const;
  /// Errors: bad_argument
  static result<action_context> from_value(const value& v);

  friend bool operator==(const action_context&, const action_context&) = default;
};

}  // namespace flock
