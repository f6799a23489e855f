#pragma once

#include "libflock/core/node_core.hpp"
#include "node/control/control_api.hpp"

namespace flock {

/// The nodes of the flock, what they publish and what they subscribe to.
const control_topic<node_core>& node_routes();

}  // namespace flock
