#pragma once

#include "tests/bench/request.hpp"
#include "tests/bench/stage.hpp"

namespace flock::bench {

workload call_workload();

/// A node with an actor that gives back what it gets.
role answerer_role();

}  // namespace flock::bench
