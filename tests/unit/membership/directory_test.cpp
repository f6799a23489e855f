#include "libflock/membership/directory.hpp"

#include "tests/support/checked.hpp"
#include <flock/value_cast.hpp>

#include <doctest/doctest.h>

#include <optional>
#include <ostream>
#include <random>

namespace flock {

std::ostream& operator<<(std::ostream& out, const node_change& c) {
  return out << c.id << ": " << (c.before ? to_string(*c.before) : "unknown") << " -> " << to_string(c.now)
             << " in life " << c.life.low;
}

std::ostream& operator<<(std::ostream& out, const directory::changes& all) {
  for (const auto& c : all) out << c << "; ";
  return out;
}

}  // namespace flock

namespace {

using namespace flock;
using enum node_state;
using flock::testing::checked;
using changes = directory::changes;

const node_id bender = *node_id::parse("bender");
const node_id self = *node_id::parse("me");

/// The n-th life of a node, which started at second n.
node_life life(std::uint64_t n) {
  return {{0, n}, "host:" + std::to_string(n), "0.1.0", wall_time(milliseconds(1000 * n))};
}

/// As a connection tells of it.
node_life met(std::uint64_t n) {
  auto l = life(n);
  l.started = {};
  return l;
}

/// What happens, on a clock that only wait() advances.
struct world {
  checked<directory> nodes{self, {}};
  milliseconds passed{0};

  world() { nodes.registry_reachable(true); }

  time_point now() const { return time_point(passed); }
  wall_time wall() const { return wall_time(milliseconds(1'000'000) + passed); }

  changes listed(std::uint64_t n) { return nodes.listed(bender, life(n), now(), wall()); }
  changes unlisted() { return nodes.unlisted(bender, now(), wall()); }
  changes connected(std::uint64_t n) { return nodes.connected(bender, met(n), now(), wall()); }
  changes disconnected(std::uint64_t n) { return nodes.disconnected(bender, life(n).life, now(), wall()); }
  changes refused() { return nodes.dial_failed(bender, true, now(), wall()); }
  changes unanswered() { return nodes.dial_failed(bender, false, now(), wall()); }
  changes goodbye(std::uint64_t n) { return nodes.said_goodbye(bender, life(n).life, now(), wall()); }
  changes wait(milliseconds time) {
    passed += time;
    return nodes.tick(now(), wall());
  }

  node_state state() const { return nodes.find(bender)->state; }
};

changes none() { return {}; }
changes appeared(std::uint64_t n) { return {{bender, std::nullopt, alive, life(n).life}}; }
changes became(node_state before, node_state now, std::uint64_t n = 1) { return {{bender, before, now, life(n).life}}; }

constexpr milliseconds suspicion{3000};
constexpr milliseconds day{24 * 3600'000};

}  // namespace

TEST_CASE("a node is alive when it is listed or connected, and is told of once") {
  world w;

  SUBCASE("listed first") {
    CHECK(w.listed(1) == appeared(1));
    CHECK(w.listed(1) == none());
    CHECK(w.connected(1) == none());
  }
  SUBCASE("connected first") {
    CHECK(w.connected(1) == appeared(1));
    CHECK(w.listed(1) == none());
  }
  CHECK(w.nodes.find(bender)->life == life(1));
  CHECK(w.nodes.is_connected(bender));
}

TEST_CASE("a killed process is dead at once though the registry still lists it") {
  world w;
  w.listed(1);
  w.connected(1);

  CHECK(w.disconnected(1) == became(alive, suspect));
  CHECK(w.refused() == became(suspect, dead));

  CHECK(w.refused() == none());
  CHECK(w.listed(1) == none());
  CHECK(w.unlisted() == none());
  CHECK(w.state() == dead);
}

TEST_CASE("a refused dial does not kill a life that was never connected") {
  world w;
  w.listed(1);

  CHECK(w.refused() == became(alive, suspect));
  CHECK(w.wait(10 * suspicion) == none());
  CHECK(w.unlisted() == became(suspect, dead));
}

TEST_CASE("a refused dial does not kill a new life for the connection of the old one") {
  world w;
  w.connected(1);
  w.disconnected(1);
  CHECK(w.listed(2) == none());
  w.refused();
  CHECK(w.state() == alive);
  CHECK(w.nodes.find(bender)->life == life(2));

  CHECK(w.refused() == became(alive, suspect, 2));
}

TEST_CASE("a silent node stays suspect while the registry vouches for it") {
  world w;
  w.listed(1);
  w.connected(1);

  CHECK(w.disconnected(1) == became(alive, suspect));
  CHECK(w.unanswered() == none());
  CHECK(w.wait(100 * suspicion) == none());
  CHECK_FALSE(w.nodes.next_tick());
  CHECK(w.unlisted() == became(suspect, dead));
}

TEST_CASE("a silent node for whom nobody vouches dies after the suspicion") {
  world w;
  w.connected(1);
  w.disconnected(1);

  CHECK(w.nodes.next_tick() == w.now() + suspicion);
  CHECK(w.wait(suspicion - milliseconds(1)) == none());
  CHECK(w.wait(milliseconds(1)) == became(suspect, dead));
  CHECK(w.wait(milliseconds(1)) == none());
}

TEST_CASE("a suspect that connects again is alive") {
  world w;
  w.connected(1);
  w.disconnected(1);

  CHECK(w.connected(1) == became(suspect, alive));
  CHECK(w.wait(suspicion) == none());
}

TEST_CASE("a dead node that connects after all is alive") {
  world w;
  w.connected(1);
  w.disconnected(1);
  w.refused();

  CHECK(w.connected(1) == became(dead, alive));
}

TEST_CASE("a dead node that is listed anew is alive") {
  world w;
  w.connected(1);
  w.disconnected(1);
  w.wait(suspicion);

  CHECK(w.listed(1) == became(dead, alive));
}

TEST_CASE("nobody dies of the registry's absence") {
  world w;
  w.listed(1);

  SUBCASE("not one that only the registry knew") {
    w.nodes.registry_reachable(false);
    CHECK(w.wait(100 * suspicion) == none());
    CHECK(w.state() == alive);
  }
  SUBCASE("not a connected one") {
    w.connected(1);
    w.nodes.registry_reachable(false);
    CHECK(w.wait(100 * suspicion) == none());
    CHECK(w.state() == alive);
  }
  SUBCASE("not a suspect for whom it vouched") {
    w.connected(1);
    w.disconnected(1);
    w.nodes.registry_reachable(false);
    CHECK(w.wait(100 * suspicion) == none());
    CHECK(w.state() == suspect);
    w.nodes.registry_reachable(true);
    CHECK(w.wait(suspicion) == none());
  }
}

TEST_CASE("an absent registry does not vouch for those who fall silent later") {
  world w;
  w.listed(1);
  w.connected(1);
  w.nodes.registry_reachable(false);

  CHECK(w.disconnected(1) == became(alive, suspect));
  CHECK(w.wait(suspicion - milliseconds(1)) == none());

  SUBCASE("so they die") { CHECK(w.wait(milliseconds(1)) == became(suspect, dead)); }
  SUBCASE("but it does when it is back in time") {
    w.nodes.registry_reachable(true);
    CHECK(w.wait(suspicion) == none());
  }
}

TEST_CASE("whom the registry alone had lost when it fell silent does not die of its silence") {
  world w;
  w.listed(1);
  REQUIRE(w.unlisted() == became(alive, suspect));
  w.nodes.registry_reachable(false);
  CHECK(w.wait(100 * suspicion) == none());

  w.nodes.registry_reachable(true);
  CHECK(w.wait(milliseconds(0)) == none());
  CHECK(w.wait(suspicion - milliseconds(1)) == none());

  SUBCASE("it lives if it is listed again") { CHECK(w.listed(1) == became(suspect, alive)); }
  SUBCASE("it dies if it is not") { CHECK(w.wait(milliseconds(1)) == became(suspect, dead)); }
}

TEST_CASE("a connected node that is not listed stays alive") {
  world w;
  w.listed(1);
  w.connected(1);

  CHECK(w.unlisted() == none());
  CHECK(w.wait(100 * suspicion) == none());
  CHECK(w.state() == alive);
}

TEST_CASE("a node that only the registry knew has time to be listed again") {
  world w;
  w.listed(1);

  CHECK(w.unlisted() == became(alive, suspect));

  SUBCASE("and lives if it is") {
    CHECK(w.listed(1) == became(suspect, alive));
    CHECK(w.wait(100 * suspicion) == none());
  }
  SUBCASE("and dies if not") { CHECK(w.wait(suspicion) == became(suspect, dead)); }
}

TEST_CASE("a node that said goodbye has left, whatever else is said") {
  world w;
  w.listed(1);
  w.connected(1);

  CHECK(w.goodbye(1) == became(alive, left));
  CHECK(w.disconnected(1) == none());
  CHECK(w.refused() == none());
  CHECK(w.goodbye(1) == none());
  CHECK(w.listed(1) == none());
  CHECK(w.unlisted() == none());
  CHECK(w.listed(1) == none());
  CHECK(w.wait(suspicion) == none());
  CHECK(w.state() == left);
}

TEST_CASE("a new life is a change, whoever sees it first") {
  world w;
  w.listed(1);
  w.connected(1);

  SUBCASE("a connection, while the old one seems to stand") { CHECK(w.connected(2) == became(alive, alive, 2)); }
  SUBCASE("the registry, while the old connection seems to stand") { CHECK(w.listed(2) == became(alive, alive, 2)); }
  SUBCASE("after the old one died") {
    w.disconnected(1);
    w.refused();
    CHECK(w.connected(2) == became(dead, alive, 2));
  }
  SUBCASE("after the old one left") {
    w.goodbye(1);
    CHECK(w.listed(2) == became(left, alive, 2));
  }

  w.connected(2);
  CHECK(w.disconnected(1) == none());
  CHECK(w.listed(2) == none());
  CHECK(w.state() == alive);
  CHECK(w.nodes.find(bender)->life.life == life(2).life);
}

TEST_CASE("late words about an old life do not touch the new one") {
  world w;
  w.listed(1);
  w.connected(1);
  w.disconnected(1);
  w.connected(2);

  CHECK(w.goodbye(1) == none());
  CHECK(w.disconnected(1) == none());
  CHECK(w.listed(1) == none());
  CHECK(w.unlisted() == none());
  CHECK(w.state() == alive);

  SUBCASE("also when they come after the new one lost its connection") {
    w.listed(2);
    w.disconnected(2);
    CHECK(w.connected(1) == none());
    CHECK(w.disconnected(1) == none());
    CHECK(w.listed(1) == none());
    CHECK(w.nodes.find(bender)->life.life == life(2).life);
  }
}

TEST_CASE("an entry that outlived its process does not displace the life that is connected") {
  world w;
  w.connected(2);

  CHECK(w.listed(1) == none());
  CHECK(w.unlisted() == none());
  CHECK(w.listed(2) == none());
  CHECK(w.nodes.find(bender)->life == life(2));
}

TEST_CASE("a life follows in the registry's order though the node's clock was set back") {
  world w;
  w.listed(5);

  CHECK(w.listed(2) == became(alive, alive, 2));
}

TEST_CASE("a life that is still connected follows when the one that displaced it turns out to be over") {
  world w;
  w.connected(2);
  w.connected(1);  // its last words, read late

  CHECK(w.disconnected(1) == became(alive, alive, 2));
  CHECK(w.nodes.is_connected(bender));
}

TEST_CASE("a life that is listed follows when the one before it is dead") {
  world w;
  w.connected(1);
  w.listed(2);  // which of them is older is not known yet
  CHECK(w.nodes.find(bender)->life.life == life(1).life);
  w.disconnected(1);

  CHECK(w.refused() == became(suspect, alive, 2));
}

TEST_CASE("dead and left nodes are forgotten after a while, with what was told of them") {
  world w;
  w.connected(1);
  w.nodes.described(bender, {.environment = "production"});

  SUBCASE("dead") {
    w.disconnected(1);
    w.refused();
  }
  SUBCASE("left") { w.goodbye(1); }

  CHECK(w.nodes.next_tick() == w.now() + day);
  CHECK(w.wait(day - milliseconds(1)) == none());
  CHECK(w.nodes.size() == 1);
  CHECK(w.wait(milliseconds(1)) == none());
  CHECK(w.nodes.size() == 0);
  CHECK_FALSE(w.nodes.next_tick());
  CHECK(w.connected(1) == appeared(1));
  CHECK(w.nodes.find(bender)->about.environment.empty());
}

TEST_CASE("words about unknown nodes change nothing") {
  world w;

  CHECK(w.unlisted() == none());
  CHECK(w.disconnected(1) == none());
  CHECK(w.refused() == none());
  CHECK(w.goodbye(1) == none());
  CHECK(w.nodes.size() == 0);
}

TEST_CASE("this node does not doubt itself") {
  world w;
  w.nodes.connected(self, life(1), w.now(), w.wall());

  CHECK(w.nodes.unlisted(self, w.now(), w.wall()) == none());
  CHECK(w.nodes.dial_failed(self, true, w.now(), w.wall()) == none());
  CHECK(w.nodes.disconnected(self, life(1).life, w.now(), w.wall()) == none());
  CHECK(w.wait(10 * suspicion) == none());
  CHECK(w.nodes.find(self)->state == alive);
}

TEST_CASE("since says when the state began") {
  world w;
  w.connected(1);
  w.wait(milliseconds(500));
  w.listed(1);
  CHECK(w.nodes.find(bender)->since == wall_time(milliseconds(1'000'000)));

  w.disconnected(1);
  CHECK(w.nodes.find(bender)->since == wall_time(milliseconds(1'000'500)));
}

TEST_CASE("attributes may come before the node") {
  world w;
  w.nodes.described(bender, {.environment = "production"});
  CHECK(w.nodes.size() == 0);

  w.listed(1);

  CHECK(w.nodes.find(bender)->about.environment == "production");
}

namespace {

/// Any event about any of three lives, in any order: late, doubled and contradictory ones too.
changes anything(world& w, std::mt19937& random) {
  auto any = [&](std::uint32_t below) { return std::uniform_int_distribution<std::uint32_t>(0, below - 1)(random); };
  auto n = 1 + any(3);
  switch (any(10)) {
    case 0:
      return w.listed(n);
    case 1:
      return w.unlisted();
    case 2:
      return w.connected(n);
    case 3:
      return w.disconnected(n);
    case 4:
      return w.refused();
    case 5:
      return w.unanswered();
    case 6:
      return w.goodbye(n);
    case 7:
      return w.nodes.registry_reachable(true), none();
    case 8:
      return w.nodes.registry_reachable(false), none();
    default:
      return w.wait(milliseconds(any(2000)));
  }
}

}  // namespace

TEST_CASE("whatever was said before, the view follows the truth in the end") {
  for (std::uint32_t seed = 1; seed <= 2000; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    world w;
    std::optional<node_change> last;
    for (int step = 0; step < 50; ++step) {
      for (const auto& c : anything(w, random)) {
        // Each change is told once and begins where the one before ended.
        REQUIRE(c.before == (last ? std::optional(last->now) : std::nullopt));
        REQUIRE((!last || c.now != last->now || c.life != last->life));
        last = c;
      }
      if (last) REQUIRE((w.state() == last->now && w.nodes.find(bender)->life.life == last->life));
      if (w.nodes.is_connected(bender)) REQUIRE(w.state() == alive);
    }
    w.nodes.registry_reachable(true);
    for (std::uint64_t n = 1; n <= 3; ++n) w.disconnected(n);

    if (seed % 2 == 0) {
      w.unlisted();
      w.wait(suspicion);
      const auto* gone = w.nodes.find(bender);
      REQUIRE((!gone || gone->state == dead || gone->state == left));
    }
    w.listed(4);
    w.connected(4);
    REQUIRE(w.state() == alive);
    REQUIRE(w.nodes.find(bender)->life == life(4));
    REQUIRE(w.wait(100 * suspicion) == none());
  }
}
