#include "libflock/tls/dial_pauses.hpp"

namespace flock::internal {

namespace {

// A killed process loses its connections a little before what it listens on.
constexpr milliseconds moment{1};

}  // namespace

dial_pauses::dial_pauses(const transport_limits& limits, std::uint64_t seed)
    : while_(limits.heartbeat), growing_(limits.backoff_first, limits.backoff_last, seed) {}

milliseconds dial_pauses::after_loss(time_point now, std::optional<time_point> used_since, bool said_goodbye) {
  const auto while_ago = now - while_;
  if (used_since < while_ago) growing_.reset();
  if (said_goodbye || at_once_ > while_ago) return growing_.next();
  at_once_ = now;
  return moment;
}

}  // namespace flock::internal
