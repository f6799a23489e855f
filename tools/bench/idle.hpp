#pragma once

#include "tools/bench/request.hpp"

namespace flock::bench {

workload idle_workload();

}  // namespace flock::bench
