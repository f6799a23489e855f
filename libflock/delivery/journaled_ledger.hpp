#pragma once

#include "libflock/delivery/ledger.hpp"
#include "libflock/delivery/recovery.hpp"
#include "libflock/delivery/scribe.hpp"
#include "libflock/values/invariant.hpp"
#include "libflock/values/text_map.hpp"
#include "libflock/words/notification.hpp"
#include <flock/clock.hpp>
#include <flock/error.hpp>

#include <string>
#include <string_view>

namespace flock::internal {

/// The ledger, and its way into storage: what changes is in the next write. An end is shown when it is durable, as one
/// that is shown must not be another one after a crash. Stands between sending and receiving, which both record in it.
/// Lives in one mailbox.
///
/// How its members hang together, between two turns: what is in ends_ is an end of a notification that the ledger shows
/// without one; what changed is to be written.
///
/// Stored: n/<id>, notification_record.
class journaled_ledger {
 public:
  class listener {
   public:
    /// A notification moves to another state, which is written together with all that is put into the scribe now.
    virtual void moves(const notification& n, const receipt& to) = 0;
    /// It has moved, for all to see: an end only when that is durable.
    virtual void progressed(const notification_record& r) = 0;

   protected:
    ~listener() = default;
  };

  journaled_ledger(ledger::options o, scribe& records, listener& to) : scribe_(records), listener_(to), ledger_(o) {}

  result<void> restore(recovery& from);

  /// What is shown.
  const ledger& shown() const { return ledger_; }
  const notification_record* find(std::string_view id) const { return ledger_.find(id); }
  /// One that is dealt with here: it is there until it has ended.
  const notification_record& known(std::string_view id) const;
  /// Whether it has come to an end that is not shown yet.
  bool is_ending(std::string_view id) const { return ends_.count(id) > 0; }
  bool is_anything_ending() const { return !ends_.empty(); }

  /// A new one, whose id is not known yet, in its first state.
  const notification_record& add(notification n, receipt first);
  /// It moves on, unless it has gone further already.
  void report(const receipt& r);
  /// It ends; one end is concluded at most.
  void conclude(const receipt& end);

  /// Forgets what has ended long ago.
  void trim(wall_time now);

  /// Puts what changed into the scribe.
  void before_write();

  /// Also of the ledger.
  broken check() const;

 private:
  void announce(const notification_record& r);

  scribe& scribe_;
  listener& listener_;
  ledger ledger_;
  text_map<receipt> ends_;  // concluded here and not durable yet, by id
  text_set changed_;        // for the next write: ids
};

}  // namespace flock::internal
