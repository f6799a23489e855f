#pragma once

#include <flock/clock.hpp>
#include <flock/error.hpp>
#include <flock/event_log.hpp>
#include <flock/runtime.hpp>
#include <flock/storage.hpp>
#include <flock/value.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace flock {

/// Makes the events of a node durable, and shows them in its log when they are: no crash takes back what somebody was
/// shown, and those who follow go on where they were after a restart. Lives in one mailbox, which is closed before the
/// journal goes.
///
/// What a turn adds is written together, after the state changes of that turn. While the disk takes nothing, events
/// gather here, up to a bound; those beyond it are counted, and an event events_dropped with that `count` stands for
/// them.
///
/// Stored: e/<number of the first, 16 hexadecimal digits> = list of {"at": ms since 1970 UTC,"type","members"}, in
/// binary form: the events of one write. A record is removed when all its events are beyond the log's bounds.
class event_journal {
 public:
  struct options {
    event_log::limits keep;
    std::size_t writes = 64;        ///< that wait for the disk; then events gather
    std::size_t gathered = 10'000;  ///< events; also the most that are in one record
  };

  /// \param before  called before each write: writes what the events tell of
  event_journal(std::shared_ptr<mailbox> home, storage& disk, std::function<void()> before, options o);

  /// Reads back what storage kept. Before anything else. What cannot be read is a gap.
  /// Errors: io
  result<void> restore();

  void add(std::string type, wall_time at, value::map members);

  /// Writes what was gathered, if the disk takes it: for the passing of time, and for a node that is about to close the
  /// mailbox.
  void flush();

  event_log& log() { return log_; }
  const event_log& log() const { return log_; }

 private:
  struct record {
    std::uint64_t first;
    std::size_t events;
    wall_time newest;
  };

  void flush_soon();
  bool is_outdated(const record& r, wall_time now) const;
  void written(std::vector<event>& events);

  std::shared_ptr<mailbox> home_;
  storage& disk_;
  std::function<void()> before_;
  options options_;

  event_log log_;
  std::deque<record> records_;  // durable, or on the way there; by number
  std::vector<event> gathered_;
  std::int64_t dropped_ = 0;
  wall_time latest_{};
  std::size_t waiting_ = 0;  // writes that are not durable yet
  bool flush_posted_ = false;
};

}  // namespace flock
