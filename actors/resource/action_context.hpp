#pragma once

#include "libflock/words/notification.hpp"
#include "libflock/words/run.hpp"
#include <flock/error.hpp>
#include <flock/value.hpp>

#include <string>
#include <vector>

namespace flock {

/// Why an action is performed: the optional first argument of each action of a resource.
struct action_context {
  std::string run;            ///< its id; empty if it is performed outside of any run
  bool why_run = false;       ///< only say what would be done
  std::vector<cause> causes;  ///< of the notification that asked for it; the oldest first
  std::string notification;   ///< its id; empty if something else asked for it
  /// Of other notifications that are performed together with it. No cause is in all chains but one that is in the
  /// chains of all of them.
  std::vector<std::vector<cause>> other_causes;
  /// The ids of other notifications that are performed together with it, as far as there are any.
  std::vector<std::string> joined{};

  /// One that asked for the same is performed together with this one.
  void join(const action_context& other);

  /// Says of an action that is wanted because of this: it is so through `last`, what was performed.
  void leads_to(wanted_action& wanted, const cause& last) const;

  /// JSON form: {"run","why_run","causes":[{"node","resource","action"}],"notification"}; of one that stands alone.
  value to_value() const;
  /// Errors: bad_argument
  static result<action_context> from_value(const value& v);

  friend bool operator==(const action_context&, const action_context&) = default;
};

}  // namespace flock
