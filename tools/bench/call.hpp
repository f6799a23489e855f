#pragma once

#include "tools/bench/request.hpp"

namespace flock::bench {

workload call_workload();

}  // namespace flock::bench
