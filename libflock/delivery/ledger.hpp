#pragma once

#include "libflock/values/invariant.hpp"
#include "libflock/values/text_map.hpp"
#include "libflock/words/notification.hpp"
#include <flock/clock.hpp>
#include <flock/error.hpp>
#include <flock/name.hpp>
#include <flock/value.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace flock {

/// All that one node knows of one notification that it sent or received.
///
/// Holds: its receipts are of this notification, one at least, and their states grow, so that only the last is an end;
/// it has attempts if it was ever started, else none.
struct notification_record {
  notification what;
  std::vector<receipt> receipts;  ///< one for each state it went through, the last one is where it is
  int attempts = 0;               ///< how often its action was started

  const receipt& last() const { return receipts.back(); }
  receipt_state state() const { return last().state; }
  /// Whether its action was, or may have been, started again after a crash.
  bool redelivered() const;

  /// JSON form:
  /// {"id","node","resource","action","state","error","sender","causes","created","expires","attempts","redelivered",
  /// "times":{state: time},"outcome","exit_status","output","performed_with","retry_of"}. The outcome of a resource's
  /// action is taken apart into four members; any other stands in "outcome" as it is.
  value to_value() const;

  /// Stored form: {"what","receipts","attempts"}.
  value to_stored() const;
  /// Errors: bad_argument
  static result<notification_record> from_stored(const value& v);
  /// What encode(to_stored()) makes, and from_stored(decode(packed)) reads, without the value.
  /// \param end  one more receipt; null for none
  std::string stored(const receipt* end = nullptr) const;
  static result<notification_record> read(std::string_view packed);

  broken check() const;

  friend bool operator==(const notification_record&, const notification_record&) = default;
};

/// The notifications of a node, sent ones and received ones, and where each of them is. Pure. A state never goes back,
/// and a terminal one is final: whatever comes after it is dropped.
///
/// Of each record holds, at the end of each call:
/// - it is known by its id, and has a place in the order, which leads to it
/// - it is whole
/// - it stands once, by its place: with the deadlines under when it expires, or, if it has ended, with the settled
/// under
///   when it ended
/// And nothing else stands in the order, with the deadlines or with the settled.
class ledger {
 public:
  struct options {
    std::size_t keep = 10'000;        ///< settled ones; the oldest are forgotten first
    milliseconds age{24 * 3600'000};  ///< settled ones are forgotten after it
  };

  explicit ledger(options o);

  /// A new notification with its first receipt: queued if it was made here; accepted if it arrived, or failed if it was
  /// not admitted. False if its id is known already.
  bool add(notification n, receipt first);
  /// One that storage kept. The order in which they are restored is the order in which they are listed.
  bool restore(notification_record r);

  /// An action that is started again, redelivered, takes the place of its first start.
  /// \returns whether this changed anything
  bool record(const receipt& r);

  const notification_record* find(std::string_view id) const;

  /// Newest first. \param state  only those in it; \param node  only those with this target
  std::vector<const notification_record*> list(std::optional<receipt_state> state,
                                               const std::optional<node_id>& node) const;

  /// Those not settled whose time has passed, the longest overdue first.
  std::vector<const notification_record*> overdue(wall_time now) const;

  /// Forgets settled ones beyond the bounds. \returns their ids
  std::vector<std::string> trim(wall_time now);

  std::size_t open() const { return deadlines_.size(); }
  std::size_t size() const { return records_.size(); }

  broken check() const;

 private:
  struct entry {
    notification_record record;
    std::uint64_t place;  // in order_
  };
  using by_time = std::set<std::pair<wall_time, std::uint64_t>>;  // places

  broken check(std::string_view id) const;
  broken check_sizes() const;
  broken check(std::string_view id, const entry& e) const;
  const notification_record& at_place(std::uint64_t place) const;

  options options_;
  text_map<entry> records_;  // by id
  std::map<std::uint64_t, const notification_record*> order_;
  std::uint64_t next_place_ = 0;
  by_time deadlines_;  // of those that are not settled
  by_time settled_;    // since when
};

}  // namespace flock
