#pragma once

#include "tests/bench/request.hpp"
#include "tests/bench/stage.hpp"

namespace flock::bench {

workload notify_workload();

/// A node with a quiet_resource.
role quiet_role();

}  // namespace flock::bench
