#pragma once

#include "libflock/delivery/acknowledgements.hpp"
#include "libflock/delivery/delivery_options.hpp"
#include "libflock/delivery/inbox.hpp"
#include "libflock/delivery/journaled_ledger.hpp"
#include "libflock/delivery/receiving.hpp"
#include "libflock/delivery/scribe.hpp"
#include "libflock/delivery/sending.hpp"
#include "libflock/seams/message.hpp"
#include "libflock/seams/runtime.hpp"
#include "libflock/seams/storage.hpp"
#include "libflock/seams/transport.hpp"
#include "libflock/values/invariant.hpp"
#include "libflock/words/notification.hpp"
#include <flock/clock.hpp>
#include <flock/error.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace flock {

/// Delivers notifications and brings their receipts back: sending, which is the way there, and receiving, which is the
/// way here, with the ledger between them, meet here for what concerns both. Lives in one mailbox, which is closed
/// before the courier goes.
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
/// Stored: values in binary form under these keys; numbers have 16 hexadecimal digits, so they are in order.
/// | key                           | what                                                                         |
/// |-------------------------------|------------------------------------------------------------------------------|
/// | c/<receiver>                  | outbox::standing                                                             |
/// | i/<sender>/<channel>          | the number up to which its parcels were taken                                |
/// | n/<id>                        | notification_record                                                          |
/// | o/<receiver>/<number>         | a parcel without acknowledgement: a notification's id, or the whole receipt   |
/// | w/<sender>/<channel>/<number> | the id of a notification that was taken here and has not ended                |
class courier : private scribe::listener, private internal::journaled_ledger::listener {
 public:
  using options = delivery_options;

  /// What the courier asks of its node. All called in the courier's mailbox.
  class host : public internal::sending::host, public internal::receiving::host {
   public:
    virtual ~host() = default;

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

  const ledger& records() const { return ledger_.shown(); }
  std::size_t outbox_depth() const { return sending_.depth(); }
  std::size_t outbox_depth(const node_id& to) const { return sending_.depth(to); }
  /// The nodes for which something waits.
  std::vector<node_id> receivers() const { return sending_.receivers(); }
  /// When the oldest notification that still waits to be acknowledged was made.
  std::optional<wall_time> oldest_waiting() const { return sending_.oldest_waiting(); }
  bool is_connected(const node_id& to) const { return sending_.is_connected(to); }

  /// Of its parts, and that whoever waits for something to be durable waits for a write.
  broken check() const;
  /// From any thread: of what is safe for threads.
  broken check_shared() const { return receiving_.check_shared(); }

 private:
  using answer = std::function<void(result<void>)>;

  // journaled_ledger::listener
  void moves(const notification& n, const receipt& to) override;
  void progressed(const notification_record& r) override { host_.progressed(r); }

  // scribe::listener
  void turn_ends() override;
  void before_write() override;
  void not_written(const error& why) override;

  void answer_when_durable(answer a);
  broken check_turn() const;

  node_id self_;
  incarnation life_;
  std::shared_ptr<mailbox> home_;
  const clock& time_;
  storage& disk_;
  scribe& scribe_;
  host& host_;
  options options_;

  internal::journaled_ledger ledger_;
  inbox inbox_;
  internal::acknowledgements acknowledgements_;
  internal::sending sending_;
  internal::receiving receiving_;
  std::vector<std::string> repairs_;

  // Who waits for something to become durable, in the order in which it will.
  std::map<std::uint64_t, answer> answers_;
  std::uint64_t next_answer_ = 1;
};

}  // namespace flock
