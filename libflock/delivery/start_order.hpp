#pragma once

#include "libflock/values/invariant.hpp"
#include <flock/error.hpp>
#include <flock/name.hpp>
#include <flock/value.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace flock {

/// Keeps the starts of a sender's notifications to one actor in their order, also when one of them is not to start and
/// a crash follows.
///
/// That one is not to start (it comes too late, or is not admitted) may be judged otherwise by the next life of this
/// node, whose clock or policy may be another, as long as the verdict is not durable. If the ones behind it had started
/// by then, they would have overtaken it. So they wait for that: whose turn comes earlier is sent back, to be handed to
/// its actor once more.
///
/// While no such verdict is on its way to the disk, it costs each start one look at a number.
///
/// Holds, at the end of each call:
/// - held_ is the number of all entries, and no line is empty: else starts would not look, or would for ever
/// - nothing waits before the first of its line that will not start or is on its way back: it was handed over
///
/// Safe for threads: the courier hands over and hears of verdicts in its mailbox, turns come in those of the actors.
class start_order {
 public:
  /// Those of one sender to one actor.
  struct line {
    node_id sender;
    actor_name actor;

    friend auto operator<=>(const line&, const line&) = default;
  };
  /// A notification in its line.
  struct place {
    line in;
    std::uint64_t number = 0;  ///< smaller than those of the ones that came later
    std::string id;
  };

  /// Its turn has come: whether it may start. If not, it is to come back.
  bool may_start(const place& p);
  /// It will not start, and that is not durable yet. Again for the same one: nothing.
  void will_not_start(const place& p);

  // In the courier's mailbox: \returns the ids of those that are to be handed over once more, in this order.

  /// Of one that may_start() sent back.
  std::vector<std::string> came_back(const place& p);
  /// Of one that will not start: that is durable.
  std::vector<std::string> durable(const place& p);

  broken check() const;

 private:
  enum class state {
    will_not_start,
    sent_back,    // on its way
    waits,        // came back
    handed_over,  // once more
  };
  struct entry {
    std::string id;
    state now;
  };
  using entries = std::map<std::uint64_t, entry>;

  void put(const place& p, state s);
  static std::vector<std::string> release(entries& of);
  broken check_locked() const;

  std::atomic<std::size_t> held_{0};  // all entries
  mutable std::mutex mutex_;          // guards all below
  std::map<line, entries> lines_;     // those which others may not overtake
};

/// One handing over of a notification to its actor: from its turn to its end. Safe for threads.
class start_turn {
 public:
  start_turn(std::shared_ptr<start_order> order, start_order::place p)
      : order_(std::move(order)), place_(std::move(p)) {}

  /// Its turn has come, or it is begun once more. \returns whether it begins; if not, it was sent back
  bool begin();
  /// The actor is done with it.
  void end(const result<value>& how);

  bool was_sent_back() const { return state_ == state::sent_back; }
  const start_order::place& place() const { return place_; }

 private:
  enum class state { waits, begun, sent_back };

  const std::shared_ptr<start_order> order_;
  const start_order::place place_;
  std::atomic<state> state_{state::waits};
};

}  // namespace flock
