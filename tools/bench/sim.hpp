#pragma once

#include "tools/bench/request.hpp"

namespace flock::bench {

workload sim_workload();

}  // namespace flock::bench
