#pragma once

#include <flock/name.hpp>
#include <flock/parcel.hpp>

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace flock {

/// The sending end of all channels of a node: numbers parcels, keeps them until they are acknowledged, and says what is
/// to be sent. Pure: the courier writes its records, sends its batches, and tells it what happened.
///
/// For each receiver, first in is first out. After a reconnection everything that is not acknowledged is sent again, in
/// order, under the same numbers.
class outbox {
 public:
  struct options {
    std::size_t window = 1024;   ///< parcels on the way to one receiver without an acknowledgement
    std::size_t batch = 100;     ///< parcels in one message
    std::size_t reserve = 1024;  ///< numbers taken ahead with one record, see to_reserve()
  };

  outbox(std::string channel, options o);

  /// Takes a parcel for a receiver.
  /// \returns its number
  std::uint64_t add(const node_id& to, parcel p);

  /// Puts back what storage kept: the parcels in order of their numbers, then the numbers that were reserved.
  void restore(const node_id& to, std::uint64_t number, parcel p);
  void restore_reserved(const node_id& to, std::uint64_t upto);

  /// A number up to which this receiver's numbers must be durably reserved before the last added parcel may be sent;
  /// nothing while enough are reserved. reserved() confirms.
  std::optional<std::uint64_t> to_reserve(const node_id& to) const;
  void reserved(const node_id& to, std::uint64_t upto);

  /// From now on batches may go to it, from the first unacknowledged parcel on.
  void connected(const node_id& to);
  void disconnected(const node_id& to);

  /// The next batch for a receiver: nothing when it is not connected, its window is full, or all is on the way.
  std::optional<batch> next(const node_id& to);

  /// \returns the numbers that are settled by it and can be forgotten, in order; none for an old or foreign one
  std::vector<std::uint64_t> acknowledge(const node_id& from, const acknowledgement& a);

  /// Takes out a parcel that was never sent (expired or cancelled); false if it may be on the way.
  bool withdraw(const node_id& to, std::uint64_t number);

  /// Parcels that are not acknowledged yet.
  std::size_t depth(const node_id& to) const;
  std::size_t depth() const;
  /// The receivers that have some.
  std::vector<node_id> receivers() const;

 private:
  struct pending {
    std::uint64_t number;
    parcel content;
    bool sent_ever = false;
  };
  struct channel {
    std::deque<pending> queue;
    std::uint64_t last = 0;          // the highest number given
    std::uint64_t acknowledged = 0;  // cumulative
    std::uint64_t reserved = 0;
    std::size_t in_flight = 0;  // the first so many of the queue are on the way
    bool connected = false;
  };

  std::string name_;
  options options_;
  std::map<node_id, channel> channels_;
};

}  // namespace flock
