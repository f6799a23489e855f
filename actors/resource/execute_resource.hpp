#pragma once

#include "actors/resource/resource_type.hpp"

#include <cstddef>

namespace flock {

struct execute_limits {
  /// Bytes of FLOCK_NOTIFICATION: Linux takes no variable of more than 128 KiB, and all of them are as much less for
  /// the command's own.
  static constexpr std::size_t notifications = 64 * 1024;
};

/// A command: members command (default: the name), cwd, user, environment, timeout (1 h), creates (a file which says
/// that nothing is left to be done). Actions: run, nothing.
///
/// The command learns from its environment why it runs: FLOCK_NODE, FLOCK_RESOURCE, FLOCK_ACTION, within a run the
/// run's id in FLOCK_RUN, where flockctl looks for it, and in FLOCK_NOTIFICATION the ids of the notifications that
/// asked for it, with a space between them: one, several that are performed together (as many as fit into
/// execute_limits::notifications), or none.
resource_type execute_resource();

}  // namespace flock
