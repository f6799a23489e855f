#pragma once

#include "libflock/seams/runtime.hpp"

#include <caf/policy/work_sharing.hpp>
#include <caf/scheduler/coordinator.hpp>

#include <cstddef>
#include <memory>

namespace flock::internal {

/// CAF's scheduler of policy `sharing`, but for the one actor that a turn_taker's thread has woken and keeps for
/// itself.
class caf_scheduler final : public caf::scheduler::coordinator<caf::policy::work_sharing> {
 public:
  using coordinator::coordinator;

  /// As actor_system_config::load wants it; the system owns what it gets.
  static caf::actor_system::module* make(caf::actor_system& system, caf::detail::type_list<>);

  /// The one of a system that was told to load it.
  static caf_scheduler& of(caf::actor_system& system);

  /// For the calling thread.
  std::unique_ptr<turn_taker> make_turn_taker();

  /// Whether the turn that the calling thread takes should end after what is at hand: it keeps another actor meanwhile,
  /// or has something else to do.
  static bool turn_should_end();

  void give_to_workers(caf::resumable* woken) { coordinator::enqueue(woken); }

  /// Messages of CAF's that an actor takes before it is another one's turn: one of them wakes a mailbox for many jobs.
  static constexpr std::size_t messages_per_turn = 1;

 protected:
  void enqueue(caf::resumable* woken) override;
};

}  // namespace flock::internal
