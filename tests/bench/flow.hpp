#pragma once

#include "tests/bench/request.hpp"

namespace flock::bench {

workload flow_workload();

}  // namespace flock::bench
