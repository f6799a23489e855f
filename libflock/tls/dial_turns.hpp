#pragma once

#include <flock/clock.hpp>
#include <flock/name.hpp>

#include <cstddef>
#include <deque>
#include <optional>
#include <unordered_set>
#include <vector>

namespace flock::internal {

/// Whose attempt to connect may begin. A node that reaches out to a thousand others at once would otherwise have all
/// handshakes under way together, and each of them would last as long as all: longer than a handshake may. So only a
/// few are begun at once; one that does not get on, as its machine is away, holds its turn for a moment only. Pure.
class dial_turns {
 public:
  /// \param at_once   attempts that have their turn at one time
  /// \param patience  an attempt that takes longer goes on without its turn, which is another one's then
  dial_turns(std::size_t at_once, milliseconds patience) : at_once_(at_once), patience_(patience) {}

  /// \returns whether it may begin, or has begun; otherwise it waits in line
  bool request(const node_id& id, time_point now);
  /// Its attempt has ended, or is not wanted any more.
  void end(const node_id& id);

  /// Who has waited longest and has its turn now; to be asked until it says nothing.
  std::optional<node_id> next(time_point now);
  /// When to ask next() again, even if nothing ends until then; long ago if somebody may begin already, nothing while
  /// nobody waits.
  std::optional<time_point> next_at() const;

 private:
  struct turn {
    node_id of;
    time_point begin;
  };

  bool may_begin(time_point now);

  const std::size_t at_once_;
  const milliseconds patience_;
  std::vector<turn> turns_;  ///< the oldest first
  std::deque<node_id> line_;
  std::unordered_set<node_id> waiting_;  ///< those in line that still want
};

}  // namespace flock::internal
