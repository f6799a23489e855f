#pragma once

#include "libflock/values/invariant.hpp"
#include "tools/sim/history.hpp"
#include "tools/sim/machine.hpp"
#include "tools/sim/plan.hpp"
#include "tools/sim/world.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <set>
#include <string>
#include <vector>

namespace flock::simulator {

/// What came of a seed.
struct outcome_of_seed {
  std::optional<breach> broken;
  history::totals counted;
  std::size_t turns = 0;
  milliseconds simulated{0};
};

/// A flock of real nodes in one thread, in a world in which everything that is not certain is decided by a seed: who
/// has the next turn, what users do, and what goes wrong when.
class simulation {
 public:
  /// \param lines  where what happens is written; null: nowhere
  simulation(const plan& p, std::ostream* lines);
  ~simulation();

  outcome_of_seed run();

 private:
  // Time.
  void pass(milliseconds by);
  bool pass_until(milliseconds within, const std::function<bool()>& holds);
  void clear_up();
  void at(milliseconds from_now, std::function<void()> f);
  void look();
  void check_touched(const mailbox& turn);
  void check_parts();
  void expect_whole(const machine& m, const broken& why);

  // What users do, and what goes wrong.
  void something_happens();
  void users_do();
  void send_some();
  /// \param to  the resources of that node that are to hear of it
  std::vector<subscription> some_subscriptions(const node_id& of, const std::vector<resource_name>& to);
  void edit(machine& m);
  void goes_wrong();
  void goes_wrong(fault f);
  void disturb();
  void cut_somebody_off();
  void take_down(machine& m, bool orderly);
  void come_back(machine& m);
  void start(machine& m);
  void fail_registry(milliseconds how_long);
  void wipe_registry();

  // After the faults.
  void end_faults();
  void run_chefs();
  void check_liveness();
  std::string unequal_views();
  std::string unequal_subscriptions();
  bool is_settled();
  static std::optional<std::string> leftover(machine& m);
  void check_settled();
  void check_monitors();

  machine& any();
  machine& other_than(const machine& m);
  intent meaning_of(const notification& n) const;

  const internal::asks_itself asks_;
  world in_;
  std::vector<std::unique_ptr<machine>> machines_;
  std::shared_ptr<mailbox> director_;
  bool faults_are_over_ = false;
  bool registry_is_down_ = false;
  int revisions_ = 0;            // of files
  machine* for_good_ = nullptr;  // went down, and does not come back
  std::size_t turns_ = 0;
};

/// \param without  faults that do not happen though the seed chose them
/// \param checks  whether the nodes' parts are asked for their own invariants
outcome_of_seed simulate(std::uint64_t seed, mode m, std::ostream* lines = nullptr, const std::set<fault>& without = {},
                         bool checks = true);

}  // namespace flock::simulator
