#pragma once

#include <flock/clock.hpp>
#include <flock/error.hpp>
#include <flock/notification.hpp>

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace flock {

/// All that one node knows of one notification that it sent or received.
struct notification_record {
  notification what;
  std::vector<receipt> receipts;  ///< one for each state it went through, the last one is where it is
  int attempts = 0;               ///< how often its action was started

  const receipt& last() const { return receipts.back(); }
  receipt_state state() const { return last().state; }

  /// JSON form:
  /// {"id","node","resource","action","state","error","sender","causes","created","expires","attempts","redelivered",
  /// "times":{state: time},"outcome","exit_status","output"}.
  value to_value() const;
};

/// The notifications of a node, sent ones and received ones, and where each of them is. Pure. A state never goes back,
/// and a terminal one is final: whatever comes after it is dropped.
class ledger {
 public:
  struct options {
    std::size_t keep = 10'000;        ///< settled ones; the oldest are forgotten first
    milliseconds age{24 * 3600'000};  ///< settled ones are forgotten after it
  };

  explicit ledger(options o);

  /// A new notification, in state queued (here sent) or accepted (here received). False if its id is known already.
  bool add(notification n, receipt first);

  /// \returns whether this changed anything
  bool record(const receipt& r);

  const notification_record* find(std::string_view id) const;

  /// Newest first. \param state  only those in it; \param node  only those with this target
  std::vector<const notification_record*> list(std::optional<receipt_state> state,
                                               const std::optional<node_id>& node) const;

  /// Those not settled whose time has passed.
  std::vector<const notification_record*> overdue(wall_time now) const;

  /// Forgets settled ones beyond the bounds. \returns their ids
  std::vector<std::string> trim(wall_time now);

  std::size_t open() const { return open_; }
  std::size_t size() const { return records_.size(); }

 private:
  options options_;
  std::map<std::string, notification_record, std::less<>> records_;
  std::deque<std::string> settled_;  // oldest first
  std::vector<std::string> order_;
  std::size_t open_ = 0;
};

}  // namespace flock
