#include "tools/bench/workloads.hpp"

#include "tools/bench/answerer.hpp"
#include "tools/bench/call.hpp"
#include "tools/bench/fanout.hpp"
#include "tools/bench/flow.hpp"
#include "tools/bench/idle.hpp"
#include "tools/bench/lifecycle.hpp"
#include "tools/bench/notify.hpp"
#include "tools/bench/registry_cost.hpp"
#include "tools/bench/sim.hpp"
#include "tools/bench/tcp_floor.hpp"

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
