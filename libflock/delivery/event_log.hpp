#pragma once

#include "libflock/values/invariant.hpp"
#include <flock/clock.hpp>
#include <flock/error.hpp>
#include <flock/value.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flock {

/// Something that happened on or to this node. JSON form: {"cursor","at","type","node", ...}; the types are listed in
/// docs/control_api.md.
struct event {
  std::uint64_t number = 0;  ///< grows by one
  std::string cursor;        ///< names its place: "<log>.<number>"
  wall_time at{};
  std::string type;  ///< joined, left, suspect, failed, published, updated, queued, accepted, started, succeeded, ...
  value::map members;

  value to_value() const;
};

/// An event as it is kept in memory and on the disk, where there are many that nobody looks at.
struct packed_event {
  std::uint64_t number = 0;
  wall_time at{};
  std::string form;  ///< {"at": ms since 1970 UTC,"members","type"}, in binary form
};

/// The last events of a node, in order, and those who follow them. Pure. It is filled by an event_journal, which makes
/// each event durable first.
///
/// Holds, at the end of each call: the events that are kept have the numbers before shown_, one after the other, and
/// are not more than `keep`; 0 < shown_ <= next_.
class event_log {
 public:
  using follower = std::function<void(const event&)>;

  struct limits {
    std::size_t keep = 10'000;
    milliseconds age{7 * 24 * 3600'000};  ///< older ones are forgotten when a new one comes
  };

  /// \param name  begins every cursor, so that one of another log is known as such
  event_log(std::string name, limits l);

  /// An event with the next number, which show() is given later, in the order of their numbers.
  packed_event make(std::string_view type, wall_time at, const value::map& members);
  /// Those who ask get to see it, and followers hear of it.
  void show(packed_event e);

  /// One that an earlier life made under this number. Before the first make().
  void restore(std::uint64_t number, std::string_view type, wall_time at, const value::map& members);
  /// The next event gets this number. Events before a hole in the numbers are forgotten, as by restore().
  void continue_at(std::uint64_t next);

  struct page {
    std::vector<event> events;
    bool gap = false;  ///< events between the cursor and the first one here have been forgotten
  };
  /// The events after a cursor; all that are kept without one.
  /// Errors: bad_argument (no cursor, or none that was given here)
  result<page> since(std::optional<std::string_view> cursor) const;

  /// The number of the next event that is made.
  std::uint64_t next() const { return next_; }

  /// Called with every later event until unfollow.
  std::uint64_t follow(follower f);
  void unfollow(std::uint64_t id);

  /// As numbers only grow, the first, the last and how many there are tell all.
  broken check() const;

 private:
  void keep(packed_event e);
  page page_from(std::uint64_t number, bool gap) const;
  event unpack(const packed_event& e) const;

  std::string name_;
  limits limits_;
  std::uint64_t next_ = 1;
  std::uint64_t shown_ = 1;  // the number after the last one that was shown
  std::deque<packed_event> events_;
  std::map<std::uint64_t, follower> followers_;
  std::uint64_t next_follower_ = 1;
};

}  // namespace flock
