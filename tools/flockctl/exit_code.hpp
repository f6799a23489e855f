#pragma once

#include <flock/error.hpp>
#include <flock/value.hpp>

#include <cstdint>

namespace flock::ctl {

/// How flockctl ends; see flockctl(1).
enum class exit_code : std::uint8_t {
  ok = 0,
  some_failed = 1,
  usage = 2,
  timed_out = 3,  ///< or nobody knows the outcome
  no_target = 4,  ///< nothing matched, or there is no such node, actor, resource, notification
  denied = 5,
  unreachable = 6,  ///< a daemon or the registry
  not_locked = 7,
};

exit_code exit_code_of(error_code why);

enum class until_state : std::uint8_t { any, accepted, completed };

/// What has become of notifications that were waited for up to a state: ok if all reached it, a code that all share,
/// else some_failed if one surely failed, else timed_out.
exit_code exit_code_of(const value::list& notifications, until_state waited_for);

}  // namespace flock::ctl
