#pragma once

#include "tools/bench/request.hpp"

namespace flock::bench {

workload flow_workload();

}  // namespace flock::bench
