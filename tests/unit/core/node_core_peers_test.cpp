#include "tests/support/small_flock.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

// Other nodes, as the transport and the registry see them.

using namespace flock;
using namespace flock::testing;
using namespace std::chrono_literals;

TEST_CASE_FIXTURE(counting_pair,
                  "a node that comes back at another address is dialled there, though its clock is behind") {
  connect();
  network.cut_both(id("a"), id("b"));
  kill("b");

  time.set_wall(time.wall() - 1h);
  start("b", true, "b:2");
  threads.advance(5s);
  network.heal();
  threads.advance(10s);

  REQUIRE(a->known_nodes().find(id("b")));
  CHECK(a->known_nodes().find(id("b"))->state == node_state::alive);
  CHECK(a->peers().contains(id("b")));
}

TEST_CASE_FIXTURE(counting_pair, "without the registry, nodes that know each other go on") {
  REQUIRE(ask(a, "b/counter", "add", {1}));

  a.registry->expire();
  a.registry->suspend();
  b.registry->suspend();
  threads.advance(1min);

  CHECK(ask(a, "b/counter", "add", {1}) == result<value>(2));
  REQUIRE(a->known_nodes().find(id("b")));
  CHECK(a->known_nodes().find(id("b"))->state == node_state::alive);

  a.registry->resume();
  b.registry->resume();
  threads.advance(10s);
  CHECK(a->is_joined());
  CHECK(b->is_joined());
}

TEST_CASE("a node that knows nobody while the registry is away lists itself at once") {
  small_flock f;
  auto& a = f.start("a");
  a.registry->expire();
  a.registry->suspend();
  f.settle();
  std::optional<result<std::vector<node_info>>> listed;

  a->nodes({}, f.time.now() + 1h, [&](auto r) { listed = std::move(r); });

  REQUIRE(listed.has_value());
  REQUIRE(listed->has_value());
  REQUIRE((*listed)->size() == 1);
  CHECK((**listed)[0].id == id("a"));
}

TEST_CASE_FIXTURE(counting_pair,
                  "a node that was called dead while the registry could not vouch for it is asked when it can") {
  connect();

  a.registry->suspend();
  b.registry->suspend();
  network.cut_both(id("a"), id("b"));
  threads.advance(20s);
  REQUIRE(a->known_nodes().find(id("b"))->state == node_state::dead);
  REQUIRE(b->known_nodes().find(id("a"))->state == node_state::dead);

  network.heal();
  a.registry->resume();  // within its session, so that it lists b as before
  threads.advance(10s);

  CHECK(a->known_nodes().find(id("b"))->state == node_state::alive);
}

TEST_CASE_FIXTURE(counting_pair,
                  "nodes that take each other for dead find each other, though the registry says nothing new") {
  for (auto* m : {&a, &b}) (*m)->nodes({}, time.now(), [](const auto&) {});  // from now on they read the lists
  settle();
  connect();
  for (auto* m : {&a, &b}) m->registry->suspend();
  network.cut_both(id("a"), id("b"));
  threads.advance(20s);
  for (auto* m : {&a, &b}) m->registry->resume();  // within their sessions, and before the network is mended
  threads.advance(1min);
  REQUIRE(a->known_nodes().find(id("b"))->state == node_state::dead);
  REQUIRE(b->known_nodes().find(id("a"))->state == node_state::dead);

  network.heal();
  threads.advance(35s);

  CHECK(a->known_nodes().find(id("b"))->state == node_state::alive);
  CHECK(b->known_nodes().find(id("a"))->state == node_state::alive);
}
