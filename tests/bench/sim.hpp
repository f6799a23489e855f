#pragma once

#include "tests/bench/request.hpp"

namespace flock::bench {

workload sim_workload();

}  // namespace flock::bench
