#pragma once

#include "libflock/delivery/event_log.hpp"
#include "libflock/delivery/scribe.hpp"
#include "libflock/seams/storage.hpp"
#include <flock/clock.hpp>
#include <flock/error.hpp>
#include <flock/value.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace flock {

/// Makes the events of a node durable, and shows them in its log when they are: no crash takes back what somebody was
/// shown, and those who follow go on where they were after a restart. Lives in one mailbox, which is closed before the
/// journal goes.
///
/// What was added is in the write that has the state changes that it tells of: what is no longer owed, as an event says
/// why, is not forgotten before the event is durable. While the disk takes nothing, there are no further writes, and
/// events gather here, up to a bound; those beyond it are counted, and an event events_dropped with that `count` stands
/// for them.
///
/// Stored: e/<number of the first, 16 hexadecimal digits> = list of {"at": ms since 1970 UTC,"type","members"}, in
/// binary form: the events of one write, in several records if they are many. Records are removed, some at a time, when
/// all their events are beyond the log's bounds.
class event_journal : private scribe::listener {
 public:
  struct options {
    event_log::limits keep;
    std::size_t gathered = 10'000;  ///< events; also the most that are in one record
    std::size_t outdated = 200;     ///< records that are kept until they are removed together
  };

  /// It joins the authors; those of what the events tell of have joined before.
  event_journal(storage& disk, scribe& records, options o);
  ~event_journal() override = default;

  /// Reads back what storage kept. Before anything else. What cannot be read is a gap.
  /// Errors: io
  result<void> restore();
  /// What could not be read: sentences for people.
  const std::vector<std::string>& repairs() const { return repairs_; }

  void add(std::string_view type, wall_time at, const value::map& members);

  event_log& log() { return log_; }
  const event_log& log() const { return log_; }

 private:
  struct record {
    std::uint64_t first;
    std::size_t events;
    wall_time newest;
  };

  void before_write() override;
  bool is_outdated(const record& r, wall_time now) const;
  void written(std::vector<packed_event>& events);

  storage& disk_;
  scribe& scribe_;
  options options_;

  event_log log_;
  std::deque<record> records_;  // durable, or on the way there; by number
  std::vector<packed_event> gathered_;
  std::int64_t dropped_ = 0;
  wall_time latest_{};
  std::vector<std::string> repairs_;
};

}  // namespace flock
