#pragma once

#include "tools/bench/request.hpp"

namespace flock::bench {

/// How soon others know what happened to a flockd, and how soon it is there.
workload join_workload();
workload kill_workload();
workload stop_workload();
workload start_workload();

/// `flockctl ping`, as people see it.
workload ping_workload();

}  // namespace flock::bench
