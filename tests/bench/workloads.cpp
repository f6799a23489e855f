#include "tests/bench/workloads.hpp"

#include "tests/bench/answerer.hpp"
#include "tests/bench/call.hpp"
#include "tests/bench/fanout.hpp"
#include "tests/bench/flow.hpp"
#include "tests/bench/idle.hpp"
#include "tests/bench/lifecycle.hpp"
#include "tests/bench/notify.hpp"
#include "tests/bench/registry_cost.hpp"
#include "tests/bench/sim.hpp"
#include "tests/bench/tcp_floor.hpp"

namespace flock::bench {

const std::vector<workload>& workloads() {
  static const std::vector<workload> all{call_workload(),  flow_workload(), fanout_workload(),   notify_workload(),
                                         idle_workload(),  join_workload(), kill_workload(),     stop_workload(),
                                         start_workload(), ping_workload(), registry_workload(), sim_workload()};
  return all;
}

const std::vector<role>& roles() {
  static const std::vector<role> all = [] {
    std::vector<role> made{answerer_role(), quiet_role()};
    made.insert(made.end(), tcp_roles().begin(), tcp_roles().end());
    return made;
  }();
  return all;
}

}  // namespace flock::bench
