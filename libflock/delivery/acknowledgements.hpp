#pragma once

#include "libflock/delivery/inbox.hpp"
#include "libflock/delivery/scribe.hpp"
#include "libflock/seams/message.hpp"
#include "libflock/seams/transport.hpp"
#include "libflock/values/invariant.hpp"
#include <flock/name.hpp>

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>

namespace flock::internal {

/// What senders are still to be told: that their parcels are safe here. It goes along with the next parcels that leave
/// for the sender. Alone it goes when it is overdue: many parcels wait for it, one came again, or time has passed.
/// Lives in one mailbox.
class acknowledgements {
 public:
  /// \param unacknowledged  parcels of one channel; then it is overdue
  acknowledgements(const inbox& of, transport& network, scribe& records, std::size_t unacknowledged)
      : inbox_(of), network_(network), scribe_(records), unacknowledged_(unacknowledged) {}

  /// So many more are safe.
  void owe(const node_id& to, const std::string& channel, std::size_t parcels);
  /// What came again will do so until it is acknowledged.
  void owe_again(const node_id& to, const std::string& channel);
  /// All that is owed is overdue: it leaves at the end of this turn.
  void all_overdue();
  /// What it sends again is acknowledged again.
  void forget(const node_id& to) { owed_.erase(to); }

  /// To go along with something; nothing if nothing is owed.
  std::optional<message> next(const node_id& to) const;
  /// It has gone along.
  void sent(const node_id& to) { owed_.erase(to); }

  /// What is overdue and has not gone along leaves alone.
  void turn_ends();

  broken check_turn() const;

 private:
  struct owed {
    std::string channel;
    std::size_t parcels = 0;
  };

  message acknowledgement_of(const node_id& to, const owed& o) const;

  const inbox& inbox_;
  transport& network_;
  scribe& scribe_;
  std::size_t unacknowledged_;
  std::map<node_id, owed> owed_;  // until something leaves for its sender
  std::set<node_id> overdue_;     // until the turn ends
};

}  // namespace flock::internal
