#pragma once

#include "node/chef/chef.hpp"
#include "node/control/control_api.hpp"

namespace flock {

/// Chef runs, which connect to their flockd and say what they do.
const control_topic<chef>& chef_routes();

}  // namespace flock
