#pragma once

#include "actors/resource_type.hpp"

namespace flock {

/// A command: members command (default: the name), cwd, user, environment, timeout (1 h), creates (a file which says
/// that nothing is left to be done). Actions: run, nothing.
resource_type execute_resource();

}  // namespace flock
