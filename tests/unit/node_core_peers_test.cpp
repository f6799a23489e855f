#include "tests/support/small_flock.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

// Other nodes, as the transport and the registry see them.

using namespace flock;
using namespace flock::testing;
using namespace std::chrono_literals;

TEST_CASE("a node that comes back at another address is dialled there, though its clock is behind") {
  small_flock f;
  auto& a = f.start("a");
  auto& b = f.start("b");
  f.publish(b, "counter");
  REQUIRE(f.ask(a, "b/counter", "add", {1}));
  f.network.cut_both(id("a"), id("b"));
  f.kill("b");

  f.time.set_wall(f.time.wall() - 1h);
  f.start("b", true, "b:2");
  f.threads.advance(5s);
  f.network.heal();
  f.threads.advance(10s);

  REQUIRE(a->known_nodes().find(id("b")));
  CHECK(a->known_nodes().find(id("b"))->state == node_state::alive);
  CHECK(a->peers().contains(id("b")));
}

TEST_CASE("without the registry, nodes that know each other go on") {
  small_flock f;
  auto& a = f.start("a");
  auto& b = f.start("b");
  f.publish(b, "counter");
  REQUIRE(f.ask(a, "b/counter", "add", {1}));

  a.registry->expire();
  a.registry->suspend();
  b.registry->suspend();
  f.threads.advance(1min);

  CHECK(f.ask(a, "b/counter", "add", {1}) == result<value>(2));
  REQUIRE(a->known_nodes().find(id("b")));
  CHECK(a->known_nodes().find(id("b"))->state == node_state::alive);

  a.registry->resume();
  b.registry->resume();
  f.threads.advance(10s);
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

TEST_CASE("a node that was called dead while the registry could not vouch for it is asked when it can") {
  small_flock f;
  auto& a = f.start("a");
  auto& b = f.start("b");
  f.publish(b, "counter");
  REQUIRE(f.ask(a, "b/counter", "add", {1}));

  a.registry->suspend();
  b.registry->suspend();
  f.network.cut_both(id("a"), id("b"));
  f.threads.advance(20s);
  REQUIRE(a->known_nodes().find(id("b"))->state == node_state::dead);
  REQUIRE(b->known_nodes().find(id("a"))->state == node_state::dead);

  f.network.heal();
  a.registry->resume();  // within its session, so that it lists b as before
  f.threads.advance(10s);

  CHECK(a->known_nodes().find(id("b"))->state == node_state::alive);
}

TEST_CASE("nodes that take each other for dead find each other, though the registry says nothing new") {
  small_flock f;
  auto& a = f.start("a");
  auto& b = f.start("b");
  f.publish(b, "counter");
  for (auto* m : {&a, &b}) (*m)->nodes({}, f.time.now(), [](const auto&) {});  // from now on they read the lists
  f.settle();
  REQUIRE(f.ask(a, "b/counter", "add", {1}));
  for (auto* m : {&a, &b}) m->registry->suspend();
  f.network.cut_both(id("a"), id("b"));
  f.threads.advance(20s);
  for (auto* m : {&a, &b}) m->registry->resume();  // within their sessions, and before the network is mended
  f.threads.advance(1min);
  REQUIRE(a->known_nodes().find(id("b"))->state == node_state::dead);
  REQUIRE(b->known_nodes().find(id("a"))->state == node_state::dead);

  f.network.heal();
  f.threads.advance(35s);

  CHECK(a->known_nodes().find(id("b"))->state == node_state::alive);
  CHECK(b->known_nodes().find(id("a"))->state == node_state::alive);
}
