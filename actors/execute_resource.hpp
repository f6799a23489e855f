#pragma once

#include "actors/resource_type.hpp"

namespace flock {

/// A command: members command (default: the name), cwd, user, environment, timeout (1 h), creates (a file which says
/// that nothing is left to be done). Actions: run, nothing. Within a run the command finds the run's id in FLOCK_RUN,
/// where flockctl looks for it.
resource_type execute_resource();

}  // namespace flock
