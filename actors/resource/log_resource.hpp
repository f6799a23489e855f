#pragma once

#include "actors/resource/resource_type.hpp"

namespace flock {

/// A line in the node's log: member message (default: the name). Actions: write, nothing.
resource_type log_resource();

}  // namespace flock
