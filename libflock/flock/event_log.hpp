#pragma once

#include <flock/clock.hpp>
#include <flock/error.hpp>
#include <flock/value.hpp>

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
  std::string cursor;  ///< names its place: "<life>.<number>"
  wall_time at{};
  std::string type;  ///< joined, left, suspect, failed, published, updated, queued, accepted, started, succeeded, ...
  value::map members;

  value to_value() const;
};

/// The last events of a node, in order, and those who follow them. Not safe for threads: it lives in one mailbox.
class event_log {
 public:
  using follower = std::function<void(const event&)>;

  /// \param life  begins every cursor, so that one from before a restart is known as such
  event_log(std::string life, std::size_t keep = 10'000);

  void add(std::string type, wall_time at, value::map members);

  struct page {
    std::vector<event> events;
    bool gap = false;  ///< events between the cursor and the first one here have been forgotten
  };
  /// The events after a cursor; all that are kept without one.
  /// Errors: bad_argument (no cursor)
  result<page> since(std::optional<std::string_view> cursor) const;

  /// Called with every later event until unfollow.
  std::uint64_t follow(follower f);
  void unfollow(std::uint64_t id);

 private:
  std::string life_;
  std::size_t keep_;
  std::uint64_t next_ = 1;
  std::deque<event> events_;
  std::map<std::uint64_t, follower> followers_;
  std::uint64_t next_follower_ = 1;
};

}  // namespace flock
