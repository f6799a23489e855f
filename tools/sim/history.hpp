#pragma once

#include "libflock/delivery/ledger.hpp"
#include "libflock/words/notification.hpp"
#include <flock/clock.hpp>
#include <flock/error.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace flock::simulator {

/// A promise of docs/failure_model.md that was broken.
struct breach {
  std::string invariant;  ///< "I1"
  std::string what;
};

/// One life of a node: the how many-eth, from 1.
struct life_id {
  std::string node;
  int number = 0;

  friend auto operator<=>(const life_id&, const life_id&) = default;
};

/// What an action of a simulated resource is meant to do.
enum class intent { work, fail, undeclared };

/// What users and resources of a simulated flock saw, all of it from outside, and whether it may have been so. Knows
/// nothing of how the protocol works; what it may assume of it is in docs/failure_model.md.
///
/// Each report is held against the invariants as it comes; the first breach stays.
class history {
 public:
  const std::optional<breach>& broken() const { return broken_; }
  void breaks(std::string invariant, std::string what);

  // Lives of nodes and their storages.

  void life_began(const life_id& who);
  void life_ended(const std::string& node);
  /// Whatever the storage of this node had promised is gone: its disk was replaced, or records of it were damaged.
  void storage_lost(const std::string& node);
  /// Somebody set a clock. \param most  how far ahead of the true time any clock has ever been
  void clock_set(const std::string& node, milliseconds most_ahead);

  // Notifications.

  /// A node's own word about a notification. From its sender: queued when it is made, and whatever it hears; from its
  /// receiver: what it does with it.
  void announced(const life_id& by, const notification_record& r, wall_time now, intent meant);
  /// Whoever asked for it was told that it is durable.
  void accepted(const std::string& id);
  /// An action begins, for this notification. \param wall  as that node's clock has it
  void begins(const life_id& at, const std::string& resource, const std::string& id, wall_time wall);
  void completes(const life_id& at, const std::string& id);

  // Calls.

  std::uint64_t calls(const life_id& by, time_point until);
  void answers(std::uint64_t call, const result<value>& how);
  void performs(std::uint64_t call);
  /// I9: \param stalled  until when this caller got no turns
  void check_deadlines(const life_id& by, time_point now, time_point stalled);

  // Monitors.

  std::uint64_t watches(const life_id& by, const std::string& node);
  /// \param believed_over  whether the watcher takes the node for ended, or could not reach it to begin with
  void fires(std::uint64_t monitor, bool believed_over);
  /// I9: the node's process ended long ago, so all that this life had set on it must have fired.
  void check_monitors(const life_id& by, const std::string& node);

  // The end.

  /// I1, for one node that runs, after the faults: each notification of its that was accepted has a terminal receipt.
  void check_settled(const std::string& node, const ledger& records);

  struct totals {
    std::size_t notifications = 0;
    std::size_t accepted = 0;
    std::size_t begun = 0;
    std::size_t repeated = 0;  ///< begun more than once
    std::map<receipt_state, std::size_t> ended;
    std::size_t calls = 0;
    std::size_t monitors_fired = 0;
  };
  totals count() const;

 private:
  struct begin {
    int life;
    bool completed = false;
  };
  struct story {
    notification what;
    intent meant = intent::work;
    std::size_t place = 0;  // in the order of its sender
    int sender_life = 0;
    bool accepted = false;
    std::optional<receipt_state> end;  // the first one that its sender announced
    std::vector<begin> begins;
    bool ended_there = false;    // its receiver has said so, and still has the storage that it said it from
    bool sender_lost = false;    // the sender's storage was lost after it was made
    bool receiver_lost = false;  // likewise the receiver's
    bool clocks_differ = false;  // its receiver's clock was set since it was made
  };
  struct call {
    life_id by;
    time_point until;
    int answers = 0;
    int performed = 0;
    std::optional<error_code> surely_not_done;
  };
  struct monitor {
    life_id by;
    std::string node;
    int life = 0;  // of the node; 0: it was down
    int fired = 0;
  };
  using line = std::tuple<std::string, std::string, std::string>;  // sender, receiver, resource

  void sender_says(story& s, const notification_record& r, wall_time now);
  void receiver_says(const life_id& by, story& s, const notification_record& r);
  void check_end(const story& s, const notification_record& r, wall_time now);
  bool may_have_expired(const story& s, wall_time now) const;
  static std::string name(const story& s);

  std::optional<breach> broken_;
  std::map<std::string, int> lives_;  // of the nodes that run
  std::set<std::string> lost_;        // nodes that ever lost something of their storages
  std::map<std::string, story> stories_;
  std::map<std::string, std::size_t> made_;  // notifications, by sender
  std::map<line, std::size_t> last_begun_;   // place of the one that began last for the first time
  milliseconds most_ahead_{0};
  std::map<std::uint64_t, call> calls_;
  std::map<std::uint64_t, monitor> monitors_;
};

}  // namespace flock::simulator
