#include "libflock/tls/dial_pauses.hpp"

#include <doctest/doctest.h>

using namespace flock;
using namespace std::chrono_literals;
using flock::internal::dial_pauses;

namespace {

constexpr time_point start{1h};
constexpr auto moment = 1ms;

const transport_limits limits{.heartbeat = 1s, .backoff_first = 50ms, .backoff_last = 5s};

/// A pause that follows no other one.
bool is_first(milliseconds pause) { return pause >= limits.backoff_first / 2 && pause <= limits.backoff_first; }

}  // namespace

TEST_CASE("each attempt to dial that fails is followed by a longer pause, until the node is wanted anew") {
  dial_pauses pauses(limits, 1);

  CHECK(is_first(pauses.after_failure()));
  CHECK_FALSE(is_first(pauses.after_failure()));
  for (int i = 0; i < 20; ++i) CHECK(pauses.after_failure() <= limits.backoff_last);
  pauses.reset();
  CHECK(is_first(pauses.after_failure()));
}

TEST_CASE("a lost connection is dialled again in a moment") {
  dial_pauses pauses(limits, 1);

  CHECK(pauses.after_loss(start, start - 10s, false) == moment);
  CHECK(pauses.after_loss(start + 5s, start + 1s, false) == moment);
}

TEST_CASE("a node that accepts and then closes, again and again, is met with growing pauses") {
  dial_pauses pauses(limits, 1);
  CHECK(pauses.after_loss(start, start, false) == moment);

  CHECK(is_first(pauses.after_loss(start + 10ms, start + 5ms, false)));
  CHECK_FALSE(is_first(pauses.after_loss(start + 100ms, start + 90ms, false)));
}

TEST_CASE("a node that said goodbye is not dialled again in a moment") {
  dial_pauses pauses(limits, 1);

  CHECK(is_first(pauses.after_loss(start, start - 10s, true)));
}

TEST_CASE("a connection that lasted makes the next pause a short one") {
  dial_pauses pauses(limits, 1);
  for (int i = 0; i < 5; ++i) pauses.after_failure();

  CHECK(is_first(pauses.after_loss(start, start - 2s, true)));
}
