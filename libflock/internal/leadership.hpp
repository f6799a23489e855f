#pragma once

#include "internal/alarm.hpp"
#include <flock/gate.hpp>
#include <flock/runtime.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace flock::internal {

/// Which thread works at a reactor: one at a time, the leader. What it reads it handles itself, so that a message makes
/// no thread wake another one; the measured cost of each such hop is half a TCP round trip.
///
/// Two kinds of threads lead: those that serve(), and those of the program that await() something, a call's answer for
/// instance, which the reactor brings them. One that serves takes the turns of the actors that it woke. Meanwhile its
/// lead is lent: another one that serves takes over if it has not come back after `patience`, so a slow actor stops
/// nobody's messages. That costs an alarm that is set once in a `patience`, and only as long as leads are lent.
class leadership {
 public:
  static constexpr std::chrono::milliseconds patience{1};
  /// Threads that should serve: one leads, one looks after it.
  static constexpr int servers = 2;

  /// \param work  waits for the next event at the reactor and handles it; false: there will be none any more. Must not
  /// throw
  /// \param interrupt  makes work() return if it waits; called by any thread
  /// \param threads  whose turns are taken; null: none are
  leadership(std::function<bool()> work, std::function<void()> interrupt, runtime* threads);

  /// Returns when there is no work any more.
  void serve();

  /// Returns when the gate is open.
  void await(gate& g);

  /// Whether what is posted to the reactor is handled soon: someone is at it, or this very thread comes back to it.
  bool is_attended() const;

 private:
  enum class lead : std::uint8_t { free, held, lent };
  using lock = std::unique_lock<std::mutex>;
  using turns = std::unique_ptr<turn_taker>;

  bool stand_by(lock& held);
  void keep_lead(lock& held, turns& mine);
  bool take_turns(lock& held, turns& mine);
  void work_for(lock& held, gate& g);

  void take();
  void give_up();
  void have_it_watched();
  void end();

  const std::function<bool()> work_;
  const std::function<void()> interrupt_;
  runtime* const threads_;

  alarm alarm_;  ///< for the threads that rest

  mutable std::mutex mutex_;            // guards all below
  std::atomic<lead> lead_{lead::free};  ///< written under the mutex
  std::uint64_t term_ = 0;              ///< rises when another thread takes the lead
  std::uint64_t moves_ = 0;             ///< rises when the lead is taken, lent or given up
  turn_taker* lent_to_ = nullptr;       ///< whose turns run while the lead is lent
  std::vector<gate*> awaited_;          ///< of threads that wait and do not lead
  int resting_ = 0;                     ///< threads that serve and wait for the alarm
  bool watched_ = false;                ///< the alarm is set
  std::uint64_t seen_ = 0;              ///< moves when it was
  bool ended_ = false;
};

}  // namespace flock::internal
