#pragma once

#include "tools/bench/request.hpp"

namespace flock::bench {

workload registry_workload();

}  // namespace flock::bench
