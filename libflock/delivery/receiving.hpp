#pragma once

#include "libflock/delivery/acknowledgements.hpp"
#include "libflock/delivery/delivery_options.hpp"
#include "libflock/delivery/inbox.hpp"
#include "libflock/delivery/journaled_ledger.hpp"
#include "libflock/delivery/recovery.hpp"
#include "libflock/delivery/scribe.hpp"
#include "libflock/delivery/sending.hpp"
#include "libflock/delivery/start_order.hpp"
#include "libflock/seams/runtime.hpp"
#include "libflock/values/invariant.hpp"
#include "libflock/values/text_map.hpp"
#include "libflock/words/notification.hpp"
#include "libflock/words/parcel.hpp"
#include <flock/clock.hpp>
#include <flock/error.hpp>
#include <flock/name.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace flock::internal {

/// The way here: parcels from their senders through the inbox, which drops repetitions, and notifications for this node
/// from there to the host that performs them, in the order of each sender, until they have ended. Lives in one mailbox.
///
/// How its members hang together, between two turns:
/// - what is in working_ was taken here, has no end, and its numbers are those that were given; whatever the ledger has
///   for this node without an end is in working_, or storage has lost it. What has begun is started
/// - since resume() nothing waits for it
///
/// Stored: i/<sender>/<channel>, the number up to which its parcels were taken; w/<sender>/<channel>/<number>, the id
/// of a notification that was taken here and has not ended.
class receiving {
 public:
  class host {
   public:
    /// Whether a notification that arrived may be performed at all: its sender is admitted, and the actor and action
    /// exist. If not, its receipt is failed with this error, and it was never accepted.
    virtual result<void> admit(const notification& n) = 0;
    /// Performs a notification that was admitted, now or by an earlier life: ask `starts` when its turn has come, call
    /// `done` when it has ended; each once, from any thread. If it is begun once more, as whoever had it in hand is
    /// gone without a word, ask `starts` again: its receipts say redelivered. Those for one actor take their turns in
    /// this order. One that may not start is not performed; what `done` is told of it does not matter, and it may be
    /// handed over again.
    ///
    /// A resource's outcome is {"outcome","exit_status","output"}, and {"error":{"code","message"}} in it if it failed.
    /// These errors mean more than failed: timeout without `starts` means that its turn came after `expires`;
    /// maybe_done, that nobody can tell; shutting_down, that it has not ended, and is to be performed again by the next
    /// life.
    virtual void perform(const notification& n, std::function<bool()> starts,
                         std::function<void(result<value>)> done) = 0;

   protected:
    ~host() = default;
  };

  /// \param journal  the id of this node's storage
  receiving(node_id self, std::string journal, std::shared_ptr<mailbox> home, const clock& time, scribe& records,
            host& of, const delivery_options& o, journaled_ledger& all, inbox& in, acknowledgements& owed,
            sending& back);

  /// Reads back what was taken and has not ended. After the ledger and sending.
  result<void> restore(recovery& from);

  /// From now on notifications are performed, what had not ended first. Until then what arrives waits.
  void resume();

  /// Parcels that are meant for this life.
  void take(const node_id& from, batch b);
  /// A notification of this node for itself, which is in the ledger.
  void take_own(const notification& n);

  void connected(const hello& peer);
  void disconnected(const node_id& peer);

  /// Whether something was handed to the host that has not answered yet.
  bool is_performing() const;

  /// Also of the order in which they start.
  broken check() const;
  broken check_turn() const;
  /// From any thread: of what is safe for threads.
  broken check_shared() const { return order_->check(); }

 private:
  /// A notification that was taken here and has not ended.
  struct work {
    std::string key;           // of its record
    bool maybe_begun = false;  // before: by an earlier life of this node, or by somebody who is gone
    bool in_hand = false;      // of the host, which has not answered
    bool begun = false;
    std::uint64_t number = 0;  // grows in the order in which they came
  };

  void arrive(const node_id& from, notification n, work w);
  void refuse(const node_id& from, const std::string& id, const error& why);
  void begin(const notification& n, work w);
  void pick_up(const std::string& id);
  void hand_over(const notification& n);
  void hand_over(const std::vector<std::string>& again);
  void came_back(const start_order::place& p);
  void let_others_wait(const start_order::place& p);
  void began(const std::string& id);
  void ended(const std::string& id, const result<value>& how);
  receipt end_of(const notification& n, const work& w, const result<value>& how) const;

  result<void> restore_position(const std::string& rest, const value& data);
  result<void> restore_work(recovery& from, const std::string& rest, const value& data);
  void lose_work(recovery& from, const node_id& sender, const std::string& id);
  void adopt_orphans(recovery& from);
  void ask_for_what_was_lost();

  broken check_working() const;
  broken check_taken() const;

  node_id self_;
  std::string journal_;
  std::shared_ptr<mailbox> home_;
  const clock& time_;
  scribe& scribe_;
  host& host_;
  const delivery_options& options_;
  journaled_ledger& ledger_;
  inbox& inbox_;
  acknowledgements& acknowledgements_;
  sending& sending_;

  text_map<work> working_;  // by id
  std::shared_ptr<start_order> order_ = std::make_shared<start_order>();
  std::uint64_t last_number_ = 0;  // of work
  std::uint64_t taken_here_ = 0;   // the number of work that no channel gives one to

  // Until resume().
  bool resumed_ = false;
  std::vector<std::pair<node_id, std::string>> lost_work_;  // sender and id of what was taken and is not known any more
  std::vector<std::string> unfinished_;
  std::vector<std::pair<node_id, batch>> arrived_early_;
};

}  // namespace flock::internal
