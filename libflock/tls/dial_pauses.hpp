#pragma once

#include "libflock/seams/transport.hpp"
#include "libflock/values/backoff.hpp"
#include <flock/clock.hpp>

#include <cstdint>
#include <optional>

namespace flock::internal {

/// How long to wait before one node is dialled again. Pure.
class dial_pauses {
 public:
  /// \param seed  so that many who failed together do not come back together
  dial_pauses(const transport_limits& limits, std::uint64_t seed);

  /// It is wanted anew: the next pause is as short as the first one.
  void reset() { growing_.reset(); }

  milliseconds after_failure() { return growing_.next(); }

  /// After the connection was lost: a moment only, for that is how the end of its process is told from the end of a
  /// connection; but a node that accepts and then closes, again and again, or that said goodbye, is met with pauses.
  /// \param used_since  when the lost one came to be used; nothing: it never was
  milliseconds after_loss(time_point now, std::optional<time_point> used_since, bool said_goodbye);

 private:
  const milliseconds while_;  ///< a connection that lasted so long was a good one
  backoff growing_;
  std::optional<time_point> at_once_;  ///< when the last loss was met with a moment only
};

}  // namespace flock::internal
