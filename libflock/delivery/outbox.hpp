#pragma once

#include "libflock/values/invariant.hpp"
#include "libflock/words/parcel.hpp"
#include <flock/clock.hpp>
#include <flock/name.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace flock {

/// The sending end of all channels of a node: numbers parcels, keeps them until they are acknowledged, and says what is
/// to be sent. Pure: the courier writes its records, sends its batches, and tells it what happened.
///
/// For each receiver, first in is first out. After a reconnection everything that is not acknowledged is sent again, in
/// order, under the same numbers. A parcel may be taken out of the queue at any time: what follows it closes the gap.
///
/// A notification may leave before its own record is durable; only its number must be reserved. A receipt leaves when
/// its record is durable: it says what its sender will still know after a crash.
///
/// Of each channel holds, at the end of each call:
/// - 0 < the numbers in its queue, which grow, <= last <= reserved
/// - again <= sent <= reserved; and `sent` of its standing, if that says any, is the same
/// - its standing says none while it is connected: what is sent meanwhile is not recorded
/// - in_flight <= what is in the queue, and <= window; it is 0 while not connected
/// - what is in flight is not beyond `sent`, and its number is durably reserved, or itself durable if it is a receipt
/// - what is safe is not beyond what there is: safe_revision <= revision, safe_reserved <= reserved, safe_parcels <=
///   last; and `required` is a revision that there is, or the next one before the first parcel
class outbox {
 public:
  struct options {
    std::size_t window = 1024;       ///< parcels on the way to one receiver without an acknowledgement
    std::size_t batch = 100;         ///< parcels in one message
    std::size_t bytes = 512 * 1024;  ///< of parcels in one message: half a frame, the other half is for one too many
    std::size_t reserve = 1024;      ///< numbers taken ahead with one record
  };

  /// What a channel must remember besides its parcels. Stored form: a map with these members.
  struct standing {
    std::uint64_t revision = 0;  ///< grows with each change
    std::uint64_t reserved = 0;  ///< no number beyond it was ever sent
    std::uint64_t again = 0;     ///< no number beyond it was sent to an earlier life of the receiver
    /// No number beyond it was ever sent; nothing while connected, when any reserved one may have been.
    std::optional<std::uint64_t> sent = 0;
    incarnation life;     ///< of the receiver when it was last connected
    std::string journal;  ///< and the id of its storage

    value to_value() const;
    /// Errors: bad_argument
    static result<standing> from_value(const value& v);

    friend bool operator==(const standing&, const standing&) = default;
  };

  /// \param name  of its channels: the id of this node's storage
  outbox(std::string name, options o);

  /// Takes a parcel for a receiver. \param bytes  about what it takes in a message
  /// \returns its number
  std::uint64_t add(const node_id& to, parcel p, std::size_t bytes);

  /// Puts back what storage kept: first the channel's standing, then its parcels in order of their numbers.
  void restore(const node_id& to, const standing& s);
  void restore(const node_id& to, std::uint64_t number, parcel p, std::size_t bytes);

  /// The channel's standing, if it changed since this was last asked: it is to be written, together with the parcels
  /// that were added and taken out meanwhile.
  std::optional<standing> to_store(const node_id& to);
  /// Whether all its parcels are durable, or there are none.
  bool is_stored(const node_id& to) const;
  /// The standing is durable.
  void stored(const node_id& to, const standing& s);
  /// The parcels up to this number are durable.
  void stored(const node_id& to, std::uint64_t upto);

  /// From now on batches may go to it, from the first unacknowledged parcel on, as soon as its standing is stored.
  /// \returns whether it came back with another storage than it had: what it had acknowledged is forgotten there
  bool connected(const node_id& to, const incarnation& life, const std::string& journal);
  void disconnected(const node_id& to);

  /// The next batch for a receiver: nothing when it is not connected, its window is full, or all is on the way.
  std::optional<batch> next(const node_id& to) const;
  /// That batch is on the way.
  void sent(const node_id& to, const batch& b);
  /// What is on the way seems to be lost: it is sent once more.
  void rewind(const node_id& to);
  /// Any parcel so far may have been sent to an earlier life of the receiver.
  void doubt(const node_id& to);

  /// \returns what is settled by it and can be forgotten, in order; none for an old or foreign one
  std::vector<batch::item> acknowledge(const node_id& from, const acknowledgement& a);

  /// Takes out a parcel that was never sent; false if it may be on the way.
  bool withdraw(const node_id& to, std::uint64_t number);
  /// Takes out a parcel that nobody waits for any more. It may arrive all the same.
  void drop(const node_id& to, std::uint64_t number);
  /// Drops the receipts at the front of the queue that are older. \returns their numbers
  std::vector<std::uint64_t> drop_receipts(const node_id& to, wall_time older_than);

  /// The highest number given.
  std::uint64_t last(const node_id& to) const;
  std::size_t in_flight(const node_id& to) const;
  /// Parcels that are not acknowledged yet.
  std::size_t depth(const node_id& to) const;
  std::size_t depth() const;
  /// The receivers that have some.
  std::vector<node_id> receivers() const;
  bool is_connected(const node_id& to) const;
  /// Calls f with each parcel that is not acknowledged.
  void each_waiting(const std::function<void(const node_id& to, std::uint64_t number, const parcel&)>& f) const;

  broken check() const;

 private:
  struct pending {
    std::uint64_t number;
    parcel content;
    std::size_t bytes;
  };
  struct channel {
    std::deque<pending> queue;
    standing now;
    bool to_store = false;
    std::uint64_t last = 0;     // the highest number given
    std::uint64_t sent = 0;     // the highest number that may ever have been sent
    std::size_t in_flight = 0;  // the first so many of the queue are on the way
    bool connected = false;
    std::uint64_t required = 0;  // nothing leaves before this revision is durable
    std::uint64_t safe_revision = 0;
    std::uint64_t safe_reserved = 0;
    std::uint64_t safe_parcels = 0;

    void change();
    void reserve(std::size_t ahead);
    bool may_leave(const pending& p) const;
    std::deque<pending>::iterator find(std::uint64_t number);
    void erase(std::deque<pending>::iterator at);
    broken check_counters(std::size_t window) const;
    broken check_queue() const;
  };

  const channel* find(const node_id& to) const;
  broken check(const node_id& to) const;

  std::string name_;
  options options_;
  std::map<node_id, channel> channels_;
};

}  // namespace flock
