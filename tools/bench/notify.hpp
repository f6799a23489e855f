#pragma once

#include "tools/bench/request.hpp"
#include "tools/bench/stage.hpp"

namespace flock::bench {

workload notify_workload();

/// A node with a quiet_resource.
role quiet_role();

}  // namespace flock::bench
