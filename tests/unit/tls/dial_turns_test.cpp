#include "libflock/tls/dial_turns.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace flock;
using flock::internal::dial_turns;

namespace {

constexpr milliseconds patience{250};
constexpr time_point start{};

node_id node(int number) { return *node_id::parse("node" + std::to_string(number)); }

}  // namespace

TEST_CASE("of many attempts a few begin at once, and each end lets the next one begin") {
  dial_turns turns(2, patience);

  CHECK(turns.request(node(1), start));
  CHECK(turns.request(node(2), start));
  CHECK(!turns.request(node(3), start));
  CHECK(!turns.request(node(4), start));
  CHECK(!turns.next(start));

  turns.end(node(2));
  CHECK(*turns.next_at() < start);
  CHECK(turns.next(start) == node(3));
  CHECK(!turns.next(start));
  turns.end(node(1));
  turns.end(node(3));
  CHECK(turns.next(start) == node(4));
  CHECK(!turns.next(start));
}

TEST_CASE("an attempt that does not get on holds its turn for a moment only") {
  dial_turns turns(1, patience);
  turns.request(node(1), start);
  turns.request(node(2), start + milliseconds(100));

  CHECK(turns.next_at() == start + patience);
  CHECK(!turns.next(start + patience - milliseconds(1)));
  CHECK(turns.next(start + patience) == node(2));
  CHECK(!turns.next_at());
}

TEST_CASE("who has a turn keeps it when it asks again, and who waits keeps its place") {
  dial_turns turns(1, patience);
  turns.request(node(1), start);
  turns.request(node(2), start);
  turns.request(node(3), start);

  CHECK(turns.request(node(1), start));
  CHECK(!turns.request(node(2), start));
  turns.end(node(1));
  CHECK(turns.next(start) == node(2));
  turns.end(node(2));
  CHECK(turns.next(start) == node(3));
  turns.end(node(3));
  CHECK(!turns.next(start));
}

TEST_CASE("nobody begins before those who waited longer") {
  dial_turns turns(1, patience);
  turns.request(node(1), start);
  turns.request(node(2), start);
  turns.end(node(1));

  CHECK(!turns.request(node(3), start));
  CHECK(turns.next(start) == node(2));
}

TEST_CASE("who is not wanted any more while it waits is passed over") {
  dial_turns turns(1, patience);
  turns.request(node(1), start);
  turns.request(node(2), start);
  turns.request(node(3), start);

  turns.end(node(2));
  turns.end(node(1));

  CHECK(turns.next(start) == node(3));
  CHECK(!turns.next_at());
}
