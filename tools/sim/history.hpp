#pragma once

#include "libflock/delivery/event_log.hpp"
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
  std::string invariant;  ///< "I1"; "check" if a part says that its members do not hang together
  std::string what;
};

/// One life of a node: the how many-eth, from 1.
struct life_id {
  std::string node;
  int number = 0;

  friend auto operator<=>(const life_id&, const life_id&) = default;
};

/// Who performs an action: a life of a node, or a Chef run beside it.
struct performer {
  std::string node;
  std::string process;  ///< "life 2", "Chef run 3"

  friend auto operator<=>(const performer&, const performer&) = default;
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

  // What nodes declare.

  /// From now on a node's files declare just these resources.
  void files_declare(const std::string& node, std::set<std::string> resources);
  /// A Chef run was told that its resources are declared: from now on they are, for they never change.
  /// \param durable  it was also told that a restart keeps them
  void chef_declares(const std::string& node, bool durable);
  /// A Chef run, or a command that was to start one, is over.
  void chef_ended(const std::string& node, bool well);

  // Notifications.

  /// A node's own word about a notification. From its sender: queued when it is made, and whatever it hears; from its
  /// receiver: what it does with it.
  void announced(const life_id& by, const notification_record& r, wall_time now, intent meant);
  /// Whoever asked for it was told that it is durable.
  void accepted(const std::string& id);
  /// An action begins, for this notification. \param wall  as that node's clock has it
  void begins(const performer& by, const std::string& resource, const std::string& id, wall_time wall);
  void completes(const performer& by, const std::string& id);
  bool was_completed(const std::string& id) const;

  // What is owed.

  /// A run, or an update because of a notification, has taken it upon itself that this is asked for. \param wish  names
  /// it among all that this node ever owed, beginning with the run or notification; what is wished twice is owed once
  /// \param updated  the resource whose update it is for; empty if it is for none
  void owes(const std::string& node, const std::string& resource, const std::string& action, const std::string& wish,
            const std::string& updated);

  // What users ask of their own flockd.

  /// \param until  nothing: for as long as it takes
  std::uint64_t asks(const life_id& by, std::string what, std::optional<time_point> until);
  void told(std::uint64_t question);
  /// \returns what somebody still waits for without a deadline; null if nobody does
  const std::string* waiting(const life_id& by) const;
  /// I12: somebody without a deadline still waits for this life, which has had all the time that it needs.
  void check_told(const life_id& by);

  // Calls.

  std::uint64_t calls(const life_id& by, time_point until);
  void answers(std::uint64_t call, const result<value>& how);
  void performs(std::uint64_t call);
  /// I9, I12: \param stalled  until when this caller got no turns
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
  /// I12, likewise: whatever its runs owed was asked for, or an event says that it could not be.
  void check_owed(const std::string& node, const ledger& records, const event_log& said);

  struct totals {
    std::size_t notifications = 0;
    std::size_t accepted = 0;
    std::size_t begun = 0;
    std::size_t repeated = 0;  ///< begun more than once
    std::map<receipt_state, std::size_t> ended;
    std::size_t calls = 0;
    std::size_t monitors_fired = 0;
    std::size_t owed = 0;
    std::size_t not_notified = 0;
    std::size_t chef_ended = 0;
    std::size_t asked = 0;  ///< of flockd, by users
  };
  totals count() const;

 private:
  struct begin {
    performer by;
    bool completed = false;
  };
  struct declared {
    std::set<std::string> by_files;
    bool by_chef = false;
    bool by_chef_for_good = false;
    std::size_t chefs_ended = 0;
    std::size_t chefs_failed = 0;  // of them
  };
  struct story {
    notification what;
    intent meant = intent::work;
    std::size_t place = 0;  // in the order of its sender
    int sender_life = 0;
    bool accepted = false;
    std::optional<receipt_state> end;  // the first one that its sender announced
    std::vector<begin> begins;
    bool ended_there = false;      // its receiver has said so, and still has the storage that it said it from
    bool sender_lost = false;      // the sender's storage was lost after it was made
    bool receiver_lost = false;    // likewise the receiver's
    bool clocks_differ = false;    // its receiver's clock was set since it was made
    bool was_declared = false;     // at its receiver, at some time since it was made
    bool was_missing = false;      // likewise it was not
    std::size_t chefs_before = 0;  // that had ended at its receiver when it was made
    std::size_t chefs_failed_before = 0;
  };
  /// What can be owed. Nobody can tell two requests of one kind from each other.
  using kind = std::tuple<std::string, std::string, std::string>;  // node, resource, action
  struct question {
    life_id by;
    std::string what;
    std::optional<time_point> until;
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
  bool may_have_failed(const story& s) const;
  bool given_up_by_chef(const story& s) const;
  bool is_completed(const story& s, const notification_record& r) const;
  bool may_have_been_taken_twice(const story& s) const;
  static bool is_marked(const notification_record& r);
  void look_at_declared(story& s) const;
  std::size_t asked_for(const kind& k, const ledger& records) const;
  static std::size_t most_wishes_at_once(const std::map<std::string, std::string>& wishes, const std::string& updated);
  static bool is_of_chef(const story& s);
  static std::string name(const story& s);

  std::optional<breach> broken_;
  std::map<std::string, int> lives_;  // of the nodes that run
  std::set<std::string> lost_;        // nodes that ever lost something of their storages
  std::map<std::string, story> stories_;
  std::map<std::string, std::size_t> made_;  // notifications, by sender
  std::map<line, std::size_t> last_begun_;   // place of the one that began last for the first time
  milliseconds most_ahead_{0};
  std::map<std::string, declared> declared_;                 // by node
  std::map<kind, std::map<std::string, std::string>> owed_;  // the wishes for it: the resource that was updated
  std::size_t not_notified_ = 0;
  std::map<std::uint64_t, question> questions_;  // that were not answered yet
  std::uint64_t asked_ = 0;
  std::map<std::uint64_t, call> calls_;
  std::map<std::uint64_t, monitor> monitors_;
};

}  // namespace flock::simulator
