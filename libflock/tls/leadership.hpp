#pragma once

#include "libflock/seams/gate.hpp"
#include "libflock/seams/runtime.hpp"
#include "libflock/tls/alarm.hpp"
#include "libflock/tls/lookout.hpp"

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
/// lead is lent: another one that serves takes over if it has not come back after `patience`, or a little later (see
/// lookout), so a slow actor stops nobody's messages. That costs an alarm, which is put off as long as the lead comes
/// back in time, and rings when no lead is lent any more.
class leadership {
 public:
  static constexpr std::chrono::milliseconds patience{1};
  /// In the middle of turns that were all short. To set the alarm costs less if it is to ring after the next tick of
  /// the kernel's clock, which comes every 4 ms as a rule.
  static constexpr std::chrono::milliseconds longest_patience{8};
  /// Threads that should serve: one leads, one looks after it.
  static constexpr int servers = 2;

  /// \param work  waits for the next event at the reactor and handles it; false: there will be none any more. Must not
  /// throw
  /// \param interrupt  makes work() return if it waits; called by any thread
  /// \param threads  whose turns are taken; null: none are
  leadership(std::function<bool()> work, std::function<void()> interrupt, runtime* threads);

  /// Returns when there is no work any more.
  void serve();

  /// Returns when the gate is open and its opener has let go of it.
  void await(gate& g);

  /// Whether what is posted to the reactor is handled soon: someone is at it, or this very thread comes back to it.
  bool is_attended() const;

 private:
  enum class lead : std::uint8_t { free, held, lent };
  using clock = std::chrono::steady_clock;
  using lock = std::unique_lock<std::mutex>;
  using turns = std::unique_ptr<turn_taker>;

  bool stand_by(lock& held);
  void keep_lead(lock& held, turns& mine);
  bool take_turns(lock& held, turns& mine);
  void work_for(lock& held, gate& g);

  void take_lead();
  void give_up();
  void have_it_watched();
  void end();

  const std::function<bool()> work_;
  const std::function<void()> interrupt_;
  runtime* const threads_;

  alarm alarm_;  ///< for the threads that rest

  mutable std::mutex mutex_;                     // guards all below
  std::atomic<lead> lead_{lead::free};           ///< written under the mutex
  std::uint64_t term_ = 0;                       ///< rises when another thread takes the lead
  turn_taker* lent_to_ = nullptr;                ///< whose turns run while the lead is lent
  std::vector<gate*> awaited_;                   ///< of threads that wait and do not lead
  int resting_ = 0;                              ///< threads that serve and wait for the alarm
  lookout lookout_{patience, longest_patience};  ///< after a lead that is lent or free, while somebody rests
  bool ended_ = false;
};

}  // namespace flock::internal
