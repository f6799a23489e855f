#pragma once

#include "libflock/seams/runtime.hpp"
#include "tools/sim/dice.hpp"
#include "tools/sim/manual_runtime.hpp"
#include <flock/clock.hpp>

#include <memory>
#include <string_view>
#include <vector>

namespace flock::simulator {

/// The threads of one simulated process: turns in the world's runtime, until it is killed. A process whose machine is
/// busy with other things gets no turns for a while.
class process final : public runtime {
 public:
  /// \param job  how long a blocking job lasts, at most; may change
  process(testing::manual_runtime& world, const clock& time, dice& random, const milliseconds& job);
  ~process() override;

  std::shared_ptr<mailbox> make_mailbox(std::string_view label) override;
  /// The job runs when its time is over.
  void run_blocking(task job) override;
  void stop(time_point until) override;

  /// Whether a turn in the world was that of this mailbox, which a process made.
  static bool is_turn_of(const mailbox& made, const mailbox& in_world);

  /// Nothing of it runs any more.
  void kill();
  /// What is posted from now on waits until then.
  void stall(time_point until);

 private:
  class lane;
  struct state;

  testing::manual_runtime& world_;
  const clock& time_;
  dice& random_;
  const milliseconds& job_;
  std::shared_ptr<state> state_;
  std::shared_ptr<mailbox> jobs_;
};

}  // namespace flock::simulator
