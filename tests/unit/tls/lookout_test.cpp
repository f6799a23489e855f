#include "libflock/tls/lookout.hpp"

#include <doctest/doctest.h>

#include <chrono>

using namespace flock;
using namespace flock::internal;
using namespace std::chrono_literals;

namespace {

constexpr lookout::duration patience = 1ms;
constexpr lookout::duration longest = 8ms;
constexpr time_point start{1h};

/// An alarm that a lookout sets.
struct alarm_clock {
  void leave(time_point now) { set(now, at.left(now)); }
  void set(time_point now, std::optional<lookout::duration> later) {
    if (!later) return;
    rings_at = now + *later;
    ++times_set;
  }

  lookout at{patience, longest};
  time_point rings_at{};
  int times_set = 0;
};

}  // namespace

TEST_CASE("a lookout's alarm rings no sooner than a patience after the thing was left, and no later than two") {
  for (auto before = 0us; before <= 1ms; before += 10us) {
    alarm_clock one;
    one.leave(start);
    const auto left_at = start + before;

    one.leave(left_at);

    CHECK(one.rings_at >= left_at + patience);
    CHECK(one.rings_at <= left_at + 2 * patience);
    CHECK_FALSE(one.at.rung(one.rings_at));
  }
}

TEST_CASE("a lookout's alarm does not ring while the thing is left anew in time, and is seldom set") {
  alarm_clock one;
  one.leave(start);

  for (auto now = start; now < start + 1s; now += 20us) {
    CHECK(now < one.rings_at);
    one.leave(now);
    CHECK(one.rings_at >= now + patience);
    CHECK(one.rings_at <= now + longest);
  }

  CHECK(one.times_set < 1s / (longest - patience) + 5);
}

TEST_CASE("a lookout is late by no more than twice the time for which things went well") {
  for (auto well = 0us; well < 20ms; well += 100us) {
    alarm_clock one;
    for (auto now = start; now <= start + well; now += 20us) one.leave(now);

    CHECK(one.rings_at <= start + well + 2 * (patience + well));
  }
}

TEST_CASE("a lookout rings again if the thing was left while the alarm rang") {
  alarm_clock one;
  one.leave(start);
  const auto rang_at = one.rings_at;
  one.leave(rang_at - patience + 1us);  // put off too late

  const auto later = one.at.rung(rang_at);

  REQUIRE(later);
  CHECK(*later == 1us);
  CHECK_FALSE(one.at.rung(rang_at + *later));
}

TEST_CASE("a lookout that has rung has no more patience than at first") {
  alarm_clock one;
  for (auto now = start; now < start + 1s; now += 20us) one.leave(now);
  CHECK_FALSE(one.at.rung(one.rings_at));

  const auto left_at = one.rings_at + 1us;
  one.leave(left_at);

  CHECK(one.rings_at == left_at + 2 * patience);
}
