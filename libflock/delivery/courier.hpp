#pragma once

#include "libflock/delivery/inbox.hpp"
#include "libflock/delivery/ledger.hpp"
#include "libflock/delivery/outbox.hpp"
#include "libflock/delivery/scribe.hpp"
#include "libflock/delivery/start_order.hpp"
#include "libflock/seams/message.hpp"
#include "libflock/seams/runtime.hpp"
#include "libflock/seams/storage.hpp"
#include "libflock/seams/transport.hpp"
#include "libflock/values/invariant.hpp"
#include "libflock/values/text_map.hpp"
#include "libflock/words/notification.hpp"
#include <flock/clock.hpp>
#include <flock/error.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace flock {

/// Delivers notifications and brings their receipts back: drives outbox, inbox and ledger, writes their records to
/// storage and their batches to the transport. Lives in one mailbox, which is closed before the courier goes.
///
/// A frame leaves while its record is being written; its sender is told "accepted by the journal" when the record is
/// durable. The receiver performs at once, too, and acknowledges when its own record is durable. Its receipts leave
/// when they are durable: accepted, started, and one terminal one. What a turn adds leaves together, in one write and
/// one message for each receiver. An acknowledgement goes along with the next parcels that leave for its sender. Alone
/// it goes when time passes or many parcels wait for it, or when one came again: so that of a receipt, to which nothing
/// is said, costs nobody a message of its own while notifications follow each other.
///
/// Those of one sender to one actor start in their order; see start_order for what that means when one does not start.
///
/// After a crash whatever was taken and has no durable end is performed again and marked redelivered: it may have been
/// started, for its start may have been recorded too late. So is what a sender sends again because it may have reached
/// an earlier life of this node.
///
/// A notification whose time has passed before it was settled:
/// - never sent: its sender takes it back, and it is expired.
/// - it arrived, but its turn did not come in time: its receiver says expired, or unknown if an earlier life of the
///   receiver may have started it.
/// - it may have arrived: its sender waits for the receiver's word. It says unknown when the receiver has been out of
///   reach for `grace` since then, or connected as long without having accepted; and in any case after `give_up`, when
///   receivers forget the receipts that nobody came for.
/// The first terminal receipt counts. So `unknown` means that it may have been done, and expired that it was not.
///
/// Records that storage found damaged, or that cannot be read, are made up for, as far as others know what was in them:
/// | damaged                       | what is done                                                                 |
/// |-------------------------------|------------------------------------------------------------------------------|
/// | c/<receiver>                  | numbers go on far beyond any that can have been given                        |
/// | i/<sender>/<channel>          | nothing: notifications that come once more are known by their ids            |
/// | n/<id>, made elsewhere        | its sender is told that it is queued again, and sends it once more           |
/// | n/<id>, made here             | it is lost, and that is said                                                 |
/// | o/<receiver>/<number>         | what may have been in it is sent once more                                   |
/// | w/<sender>/<channel>/<number> | the notification without an end that nothing leads to is taken for it        |
/// What comes once more because of that is taken for what an earlier life may have started.
///
/// How its members hang together, between two turns:
/// - what waits in the outbox and waiting_ are the same notifications, by id and number; they were made here for other
///   nodes, and have no end
/// - what is in working_ was taken here, has no end, and its numbers are those that were given; whatever the ledger has
///   for this node without an end is in working_ or ends_, or storage has lost it. What has begun is started
/// - what is in ends_ is an end that the ledger does not show yet, and is in neither of the two
/// - whoever is connected here is connected to the outbox
/// - what is to leave when the turn ends does, as its end is posted; what changed, or is answered when it is durable,
/// is
///   to be written or is being so
/// - since resume() nothing waits for it
///
/// Stored: values in binary form under these keys; numbers have 16 hexadecimal digits, so they are in order.
/// | key                           | what                                                                         |
/// |-------------------------------|------------------------------------------------------------------------------|
/// | c/<receiver>                  | outbox::standing                                                             |
/// | i/<sender>/<channel>          | the number up to which its parcels were taken                                |
/// | n/<id>                        | notification_record                                                          |
/// | o/<receiver>/<number>         | a parcel without acknowledgement: a notification's id, or the whole receipt   |
/// | w/<sender>/<channel>/<number> | the id of a notification that was taken here and has not ended                |
class courier : private scribe::listener {
 public:
  struct options {
    outbox::options out;  ///< a notification larger than its `bytes` is refused
    ledger::options keep;
    std::size_t waiting = 100'000;        ///< parcels for one receiver; more notifications are refused
    std::size_t unacknowledged = 256;     ///< parcels of one channel, well below a window; then an acknowledgement goes
    milliseconds stall{10'000};           ///< what is on the way as long without a word is sent once more; doubles,
    milliseconds longest_stall{120'000};  ///< at most this
    milliseconds grace{60'000};           ///< see above
    milliseconds give_up{7 * 24 * 3600'000};
  };

  /// What the courier asks of its node. All called in the courier's mailbox.
  class host {
   public:
    virtual ~host() = default;

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
    /// There is something for this node: see to it that it gets connected.
    virtual void want_connection(const node_id& to) = 0;
    /// A notification moves to another state, which is written together with all that is put into the scribe now.
    virtual void moves(const notification& n, const receipt& to) = 0;
    /// It has moved, for all to see: an end only when that is durable.
    virtual void progressed(const notification_record& r) = 0;
  };

  courier(node_id self, const incarnation& life, std::shared_ptr<mailbox> home, const clock& time, transport& network,
          storage& disk, scribe& records, host& of, options o);
  ~courier() override = default;

  /// Reads back what storage kept. Before anything else. A record that cannot be read is set aside, under its key
  /// behind "x/", and made up for as a damaged one is. Errors: io
  result<void> restore();

  /// What was damaged or could not be read when storage was read back, and what is done about it: sentences for people.
  const std::vector<std::string>& repairs() const { return repairs_; }

  /// From now on notifications are performed, what had not ended first: call it when the actors are published. Until
  /// then what arrives waits.
  void resume();

  /// Takes a notification of this node to any node, itself included. `taken` is called once it is durable here, in the
  /// courier's mailbox.
  /// Errors: bad_argument (too large, or an id that is known), refused (its chain of causes goes round or is too long,
  /// its time has passed, or too many wait for that node), io (the disk is full or broken; it was not taken),
  /// maybe_done (the disk became so, or the node stopped, before it was durable; it may be on its way, and is not taken
  /// back)
  void submit(notification n, std::function<void(result<void>)> taken);

  /// Cancels one that was not sent yet. `done` is called when that is durable, in the courier's mailbox.
  /// Errors: not_found, refused (it may be on its way, or is settled), io (the disk is full or broken; not cancelled),
  /// maybe_done (it became so, or the node stopped, before that was durable)
  void cancel(std::string_view id, std::function<void(result<void>)> done);

  // What the transport reports. A hello's `journal` is the id of its storage.
  void connected(const hello& peer);
  void disconnected(const hello& peer);
  /// Errors: protocol (the message was ignored)
  result<void> received(const hello& from, const message& m);

  /// Lets time pass: expires what is overdue, forgets what is old, sends once more what seems to be lost, and what is
  /// still to be acknowledged. Often enough that nobody takes a parcel for lost meanwhile: see `stall`.
  void tick();
  /// Sends all acknowledgements at the end of this turn: nothing else may follow, as the node stops.
  void acknowledge_all();

  /// Whether something was handed to the host that has not answered yet, or whose end is not durable yet.
  bool is_performing() const;

  const ledger& records() const { return ledger_; }
  std::size_t outbox_depth() const { return outbox_.depth(); }
  std::size_t outbox_depth(const node_id& to) const { return outbox_.depth(to); }
  /// The nodes for which something waits.
  std::vector<node_id> receivers() const { return outbox_.receivers(); }
  /// When the oldest notification that still waits to be acknowledged was made.
  std::optional<wall_time> oldest_waiting() const;
  bool is_connected(const node_id& to) const;

  /// Also of its parts.
  broken check() const;
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
  struct contact {
    bool connected = false;
    wall_time since{};   // connected or not
    time_point heard{};  // when something was acknowledged, or nothing was on the way
    int stalls = 0;      // since then: how often what is on the way was sent once more
  };
  /// Parcels of a node that are safe here, which it is still to be told.
  struct owed {
    std::string channel;
    std::size_t parcels = 0;
  };
  /// What a write makes durable of a channel.
  struct channel_write {
    node_id to;
    std::uint64_t upto;
    std::optional<outbox::standing> standing;
  };
  using answer = std::function<void(result<void>)>;

  // The way here.
  void take(const node_id& from, batch b);
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

  // The way there.
  result<void> acceptable(const notification& n, std::size_t bytes) const;
  void queue(const notification& n, std::size_t bytes);
  void submit_here(const notification& n);
  void hear(const node_id& from, receipt r);
  result<void> settle(const node_id& from, const value& body);
  void forget_parcel(const notification& n);
  void give_up_on(const node_id& receiver);
  void look_after(const notification_record& overdue, wall_time now);
  bool is_hopeless(const notification_record& r, wall_time now) const;

  // After damage.
  void set_aside(std::string_view key, std::string_view data, const error& why);
  void restore_lost_standings();
  void lose_work(const node_id& from, const std::string& id);
  void adopt_orphans();
  void repair_channels();
  void send_everything_again(const node_id& to);
  void send_again(const notification& n);

  // Both.
  const notification_record& known(std::string_view id) const;
  void report(const receipt& r);
  void conclude(const receipt& end);
  void announce(const notification_record& r);
  void post(const node_id& to, const receipt& r);
  void want_connection(const node_id& to);
  void acknowledge(const node_id& to, const std::string& channel, std::size_t parcels);
  void acknowledge_again(const node_id& to, const std::string& channel);
  message acknowledgement_of(const node_id& to, const owed& o) const;
  void look_after(const node_id& id, contact& c);

  void answer_when_durable(answer a);
  void turn_ends() override;
  void send_due(const node_id& to);
  std::optional<std::string> stored_form(const std::string& id) const;
  void before_write() override;
  void not_written(const error& why) override;
  void written(const std::vector<channel_write>& channels);

  broken check_turn() const;
  broken check_waiting() const;
  broken check_working() const;
  broken check_ends() const;
  broken check_peers() const;

  using reader = std::function<result<void>(const std::string& rest, const value& data)>;
  result<void> read(const std::string& prefix, const reader& each);
  result<void> restore_records();
  result<void> restore_standing(const std::string& rest, const value& data);
  result<void> restore_position(const std::string& rest, const value& data);
  result<void> restore_parcel(const std::string& rest, const value& data);
  result<void> restore_work(const std::string& rest, const value& data);

  node_id self_;
  incarnation life_;
  std::shared_ptr<mailbox> home_;
  const clock& time_;
  transport& network_;
  storage& disk_;
  scribe& scribe_;
  host& host_;
  options options_;

  outbox outbox_;
  inbox inbox_;
  ledger ledger_;
  std::map<node_id, contact> peers_;
  text_map<std::uint64_t> waiting_;  // sent notifications without acknowledgement, by id
  text_map<work> working_;           // by id
  text_map<receipt> ends_;           // concluded here and not durable yet, by id
  std::shared_ptr<start_order> order_ = std::make_shared<start_order>();
  std::uint64_t last_number_ = 0;  // of work
  std::uint64_t taken_here_ = 0;   // the number of work that no channel gives one to
  wall_time started_{};

  bool is_restored_ = false;

  // Until resume().
  bool resumed_ = false;
  std::vector<std::string> damaged_;  // keys: those that storage tells of, and those of what was set aside
  std::vector<std::string> repairs_;
  std::vector<std::pair<node_id, std::string>> lost_work_;  // sender and id of what was taken and is not known any more
  std::vector<std::string> unfinished_;
  std::vector<std::pair<node_id, batch>> arrived_early_;

  // Gathered until the turn ends.
  std::set<node_id> due_;      // there may be something to send or to write
  std::set<node_id> overdue_;  // its acknowledgement goes alone, if nothing else leaves

  // Until something leaves for its sender.
  std::map<node_id, owed> owed_;

  // And for the next write.
  std::set<node_id> touched_;  // there may be something to write
  text_set changed_;           // notifications

  // Who waits for something to become durable, in the order in which it will.
  std::map<std::uint64_t, answer> answers_;
  std::uint64_t next_answer_ = 1;
};

}  // namespace flock
