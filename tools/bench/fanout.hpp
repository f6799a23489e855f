#pragma once

#include "tools/bench/request.hpp"

namespace flock::bench {

workload fanout_workload();

}  // namespace flock::bench
