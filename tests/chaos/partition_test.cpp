// A network that is cut loses nothing and doubles nothing, and lets no node believe for good what was so while it
// lasted: afterwards all see each other again, by themselves (I1, I2, I3, I7, I8).

#include "tests/chaos/stage.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

using namespace flock::chaos;
using namespace std::chrono_literals;

namespace {

bool skipped(const char* test) {
  const auto possible = partitions_are_possible();
  if (!possible) MESSAGE("SKIPPED: " << test << ": " << possible.error().what);
  return !possible;
}

void finish(stage& s) {
  const auto wrong = s.finish();
  CHECK_MESSAGE(wrong.empty(), wrong);
}

}  // namespace

TEST_CASE("two nodes cannot reach each other for a while, and both reach the third") {
  if (skipped("cut-nodes")) return;
  stage s("cut-nodes", {.partitions = true});
  s.begin_load();

  for (const auto lasts : {300ms, 4000ms}) {
    s.let_pass(20);
    s.inflict(cut(s.network(), "bender0", "bender1"), lasts);
  }

  finish(s);
}

TEST_CASE("one node hears another one and is not heard by it") {
  if (skipped("cut-one-way")) return;
  stage s("cut-one-way", {.partitions = true});
  s.begin_load();

  s.let_pass(20);
  s.inflict(cut_one_way(s.network(), "bender0", "bender1"), 3000ms);
  s.let_pass(20);
  s.inflict(cut_one_way(s.network(), "bender1", "bender0"), 1000ms);

  finish(s);
}

TEST_CASE("a node that cannot reach ZooKeeper goes on working with the others and is not called dead") {
  if (skipped("cut-zookeeper")) return;
  stage s("cut-zookeeper", {.partitions = true});
  s.begin_load();

  s.let_pass(20);
  s.during(cut(s.network(), "bender1", zookeeper_place), 2 * stage::session_timeout, [&] {
    s.let_pass(20);
    const auto pong = s.flock().node("bender0").get("/v1/ping/bender1");
    s.expect(pong.has_value(), "bender1 answers bender0: " + (pong ? "" : to_string(pong.error())));
  });

  s.expect_nobody_was_called_dead();
  finish(s);
}

TEST_CASE("a node that reaches nobody at all is missed, and found again when it is back") {
  if (skipped("cut-off")) return;
  stage s("cut-off", {.partitions = true});
  s.begin_load();

  s.let_pass(20);
  auto alone = cut(s.network(), "bender2", "bender0");
  s.during(cut(s.network(), "bender2", zookeeper_place), 0ms, [&] {
    s.during(cut(s.network(), "bender2", "bender1"), 0ms, [&] {
      s.during(alone, 0ms, [&] {
        const auto is_missed = [&] {
          const auto known = s.flock().node("bender0").get("/v1/nodes/bender2");
          return known && (*known)["state"] == flock::value("dead");
        };
        s.expect_soon(is_missed, "bender0 calls bender2 dead");
        s.let_pass(20);
      });
    });
  });

  finish(s);
}
