#include "tests/chaos/history.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace flock::chaos;
using flock::receipt_state;

namespace {

const std::pair<std::string, std::string> toast{"bender1", "execute[toast]"};

/// Two notifications from bender0 to a resource of bender1, both performed as they should be.
history good() {
  history h;
  h.accepted = {{"a", "bender0", "bender1", "execute[toast]"}, {"b", "bender0", "bender1", "execute[toast]"}};
  for (const char* node : {"bender0", "bender1"})
    for (const char* id : {"a", "b"}) h.told[node][id] = {receipt_state::succeeded};
  h.written[toast] = {"a", "b"};
  return h;
}

void check_only(const history& h, const std::string& expected, const excuses& e = {}) {
  const auto wrong = violations(h, e);
  REQUIRE(wrong.size() == 1);
  CHECK(wrong.front() == expected);
}

}  // namespace

TEST_CASE("a history in which all was performed once and in order is well") { CHECK(violations(good()).empty()); }

TEST_CASE("an accepted notification that its sender forgot is found") {
  auto h = good();
  h.told["bender0"].erase("a");
  check_only(h, "a to bender1/execute[toast] was accepted and its sender does not know it; it was performed");
}

TEST_CASE("a notification without an end is found") {
  auto h = good();
  h.told["bender0"]["b"].state = receipt_state::started;
  check_only(h, "b to bender1/execute[toast] was accepted and stays started; it was performed");
}

TEST_CASE("a notification that is said to have succeeded and was not performed is found, for all who say so") {
  auto h = good();
  h.written[toast] = {"a"};
  CHECK(violations(h).size() == 3);
}

TEST_CASE("a notification that is said not to have been done and was is found") {
  auto h = good();
  h.told["bender1"]["x"] = {receipt_state::expired, false, "too late"};
  h.written[toast].push_back("x");
  check_only(h, "x was performed, and bender1 says expired (too late)");
}

TEST_CASE("only an excuse lets an accepted notification end as unknown") {
  auto h = good();
  h.told["bender0"]["a"] = {receipt_state::unknown, false, "no word"};
  check_only(h, "a to bender1/execute[toast] was accepted and ended as unknown (no word); it was performed");
  CHECK(violations(h, {.unknown = true}).empty());
}

TEST_CASE("a notification that was performed twice must be marked redelivered") {
  auto h = good();
  h.written[toast] = {"a", "a", "b"};
  check_only(h, "a was performed 2 times by bender1, and is not marked redelivered; it says succeeded");
  h.told["bender1"]["a"].redelivered = true;
  CHECK(violations(h, {.repeated = true}).empty());
  check_only(h, "a was performed 2 times, though nobody was killed");
}

TEST_CASE("what was performed and is known to nobody is found") {
  auto h = good();
  h.written[toast].push_back("x");
  check_only(h, "x was performed, and bender1 does not know it");
  CHECK(violations(h, {.forgotten = true}).empty());
}

TEST_CASE("what was accepted, or performed twice, may not be forgotten") {
  auto h = good();
  h.told["bender1"].erase("a");
  check_only(h, "a was performed, and bender1 does not know it", {.forgotten = true});
  h = good();
  h.written[toast] = {"a", "b", "x", "x"};
  check_only(h, "x was performed 2 times by bender1, and is not marked redelivered", {.forgotten = true});
}

TEST_CASE("a notification that another resource performed is found") {
  auto h = good();
  h.written[toast] = {"a"};
  h.written[{"bender1", "execute[x]"}] = {"b"};
  check_only(h, "b to bender1/execute[toast] was accepted and was performed by execute[x]");
}

TEST_CASE("notifications that were performed in another order than accepted are found, but for repetitions") {
  auto h = good();
  h.told["bender1"]["a"].redelivered = true;
  h.written[toast] = {"a", "b", "a"};
  CHECK(violations(h, {.repeated = true}).empty());
  h.written[toast] = {"b", "a"};
  check_only(h, "b to bender1/execute[toast] was accepted after a, and was performed before it");
}
