#pragma once

#include "tools/bench/request.hpp"
#include "tools/bench/stage.hpp"

#include <vector>

namespace flock::bench {

/// All there are, in the order of --help.
const std::vector<workload>& workloads();
const std::vector<role>& roles();

}  // namespace flock::bench
