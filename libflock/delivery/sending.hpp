#pragma once

#include "libflock/delivery/acknowledgements.hpp"
#include "libflock/delivery/delivery_options.hpp"
#include "libflock/delivery/journaled_ledger.hpp"
#include "libflock/delivery/outbox.hpp"
#include "libflock/delivery/recovery.hpp"
#include "libflock/delivery/scribe.hpp"
#include "libflock/seams/transport.hpp"
#include "libflock/values/invariant.hpp"
#include "libflock/values/text_map.hpp"
#include "libflock/words/notification.hpp"
#include <flock/clock.hpp>
#include <flock/error.hpp>
#include <flock/name.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace flock::internal {

/// The way there: parcels, which are notifications of this node and receipts for others', from the outbox to their
/// receivers, until they are acknowledged; and what becomes of notifications of this node of which nobody hears. Lives
/// in one mailbox.
///
/// How its members hang together, between two turns:
/// - what waits in the outbox and waiting_ are the same notifications, by id and number; they were made here for other
///   nodes, and have no end
/// - whoever is connected here is connected to the outbox
/// - while something is due, the turn is to end
///
/// Stored: c/<receiver>, outbox::standing; o/<receiver>/<number>, a parcel without acknowledgement: a notification's
/// id, or the whole receipt.
class sending {
 public:
  class host {
   public:
    /// There is something for this node: see to it that it gets connected.
    virtual void want_connection(const node_id& to) = 0;

   protected:
    ~host() = default;
  };

  sending(node_id self, const clock& time, transport& network, std::string journal, scribe& records, host& of,
          const delivery_options& o, journaled_ledger& all, acknowledgements& owed);

  /// Reads back the channels and what waits in them. After the ledger.
  result<void> restore(recovery& from);
  /// Sends again whatever may have been lost with what was damaged. In the first write of this life: after it, storage
  /// does not tell of damage any more. From now on connections are asked for.
  void mend(const recovery& from);

  /// Whether a notification of this node can be sent. \param bytes  of its form
  /// Errors: see courier::submit
  result<void> acceptable(const notification& n, std::size_t bytes) const;
  /// Sends one that is in the ledger.
  void send(const notification& n, std::size_t bytes);
  void send(const node_id& to, const receipt& r);
  /// Takes one back that cannot have been sent. \returns whether it did
  bool take_back(const notification& n);
  /// It has ended: it needs not to be sent any more.
  void forget(const notification& n);

  /// What a receiver says of a notification of this node.
  void hear(const node_id& from, receipt r);
  /// What is safe there. Errors: protocol
  result<void> acknowledged(const node_id& by, const value& body);

  void connected(const hello& peer);
  void disconnected(const node_id& peer);
  /// Gives up what is overdue, and sends once more what seems to be lost.
  void tick();

  void turn_ends();
  void before_write();

  std::size_t depth() const { return outbox_.depth(); }
  std::size_t depth(const node_id& to) const { return outbox_.depth(to); }
  std::vector<node_id> receivers() const { return outbox_.receivers(); }
  std::optional<wall_time> oldest_waiting() const;
  bool is_connected(const node_id& to) const;

  /// Also of the outbox.
  broken check() const;
  broken check_turn() const;

 private:
  struct contact {
    bool connected = false;
    wall_time since{};   // connected or not
    time_point heard{};  // when something was acknowledged, or nothing was on the way
    int stalls = 0;      // since then: how often what is on the way was sent once more
  };
  /// What a write makes durable of a channel.
  struct channel_write {
    node_id to;
    std::uint64_t upto;
    std::optional<outbox::standing> standing;
  };

  result<void> restore_standing(const std::string& rest, const value& data);
  void restore_lost_standings(recovery& from);
  result<void> restore_parcel(recovery& from, const std::string& rest, const value& data);
  void send_everything_again(const node_id& to);
  void send_again(const notification& n);

  void want_connection(const node_id& to);
  void give_up_on(const node_id& receiver);
  void look_after(const notification_record& overdue, wall_time now);
  bool is_hopeless(const notification_record& r, wall_time now) const;
  void look_after(const node_id& id, contact& c);
  void send_due(const node_id& to);
  void written(const std::vector<channel_write>& channels);

  broken check_queue() const;
  broken check_waiting() const;
  broken check_peers() const;

  node_id self_;
  const clock& time_;
  transport& network_;
  scribe& scribe_;
  host& host_;
  const delivery_options& options_;
  journaled_ledger& ledger_;
  acknowledgements& acknowledgements_;

  outbox outbox_;
  std::map<node_id, contact> peers_;
  text_map<std::uint64_t> waiting_;  // notifications without acknowledgement, by id: their numbers
  wall_time started_{};
  bool is_mended_ = false;

  std::set<node_id> due_;      // until the turn ends: there may be something to send or to write
  std::set<node_id> touched_;  // until the next write: there may be something to write
};

}  // namespace flock::internal
