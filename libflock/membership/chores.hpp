#pragma once

#include "libflock/seams/runtime.hpp"
#include "libflock/values/invariant.hpp"
#include <flock/clock.hpp>
#include <flock/error.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>

namespace flock::internal {

class backoff;

/// Things to be done until they succeed, each known by a key. They are begun in the order in which they become due, a
/// bounded number at a time, while that is allowed; what fails becomes due again after a pause. Lives in one mailbox.
///
/// Holds between two turns: due_ counts those that are due, running_ those that run, known ones and removed ones, which
/// are at most `at_once`; nobody has more than was numbered; and while there is room, nothing stands in the queue.
class chores {
 public:
  /// Tells how it went, once, in the mailbox's turn.
  using finish = std::function<void(result<void>)>;
  using work = std::function<void(finish)>;

  /// \param seed  of the pauses
  /// \param all_done  called each time when nothing is due or under way any more; may be empty
  chores(std::shared_ptr<mailbox> home, const clock& time, std::uint64_t seed, std::function<void()> all_done = {});
  ~chores();

  /// Adds a chore, or gives another meaning to the one of this key; it is due.
  void put(const std::string& key, work how);
  /// Likewise, but it is forgotten when it is done.
  void put_once(const std::string& key, work how);
  /// Forgets a chore. One that is under way goes on, but not again.
  void remove(const std::string& key);
  bool contains(const std::string& key) const { return all_.contains(key); }

  broken check() const;

  /// It is to be done again, if it is known. The first time at once; beyond that, so long at least after it was begun
  /// the time before the last.
  void due(const std::string& key, milliseconds apart = milliseconds(0));
  void all_due();

  /// While it is not allowed nothing is begun. When it is allowed again, nothing waits for its pause to end.
  void allow(bool yes);

  static constexpr std::size_t at_once = 256;

 private:
  struct chore {
    std::uint64_t number = 0;  ///< tells it from others of its key
    work how;
    bool is_for_once = false;
    bool is_due = false;
    bool is_running = false;
    time_point begun{};
    time_point begun_before{};  // the time before that
    time_point not_before{};
    std::unique_ptr<backoff> pauses;  ///< since it failed
  };
  using chore_map = std::map<std::string, chore>;

  void put(const std::string& key, work how, bool once);
  void pass(const std::string& key, const chore& c);
  void begin_next();
  void begin(const std::string& key, chore& c);
  void ended(const std::string& key, std::uint64_t number, const result<void>& how);
  void succeeded(chore_map::iterator c);
  void failed(chore& c);
  void mark_due(chore& c, bool yes);

  std::shared_ptr<mailbox> home_;
  const clock& time_;
  std::uint64_t seed_;
  std::function<void()> all_done_;
  chore_map all_;
  std::deque<std::string> queue_;
  std::size_t due_ = 0;
  std::size_t running_ = 0;
  std::uint64_t last_number_ = 0;
  bool is_allowed_ = false;
  std::shared_ptr<chores*> here_;  ///< gone with this: what waits in the mailbox looks here first
};

}  // namespace flock::internal
