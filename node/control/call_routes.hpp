#pragma once

#include "libflock/core/node_core.hpp"
#include "node/control/control_api.hpp"

namespace flock {

/// Every method of every actor.
const control_topic<node_core>& call_routes();

}  // namespace flock
