#include "tools/sim/memory_network.hpp"

#include "tests/support/notifications.hpp"
#include "tools/sim/manual_clock.hpp"
#include "tools/sim/manual_runtime.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

namespace {

using namespace flock;
using namespace std::chrono_literals;
using flock::testing::manual_clock;
using flock::testing::manual_runtime;
using flock::testing::memory_network;
using flock::testing::node;
using texts = std::vector<std::string>;

/// Writes down what its transport reports.
struct station final : transport::listener {
  station(memory_network& network, const std::string& name, std::uint64_t life = 1)
      : id(node(name)), wire(network.attach({"/flock", id, {1, life}, "1", "", "test", "journal"})) {}

  void connected(const hello& peer) override { heard.push_back("+" + peer.id.str() + " " + peer.address); }
  void received(const hello& from, message m) override { heard.push_back(from.id.str() + ": " + m.method); }
  void disconnected(const hello& peer, const error& why) override {
    heard.push_back("-" + peer.id.str() + " " + std::string(to_string(why.code)));
  }
  void dial_failed(const node_id& to, dial_failure how, const error&) override {
    failures.push_back(to.str() + " " + std::to_string(static_cast<int>(how)));
  }
  result<void> say(const node_id& to, const std::string& what) {
    return wire->send(to, {message_kind::parcels, 0, {}, {}, what, {}});
  }

  node_id id;
  texts heard;
  texts failures;
  std::unique_ptr<transport> wire;
};

struct fixture {
  manual_clock time;
  manual_runtime threads{time};
  memory_network network{threads, time};
  station a{network, "a"};
  station b{network, "b"};

  void connect() {
    REQUIRE(a.wire->start(a).has_value());
    REQUIRE(b.wire->start(b).has_value());
    a.wire->dial(b.id, "b:22222");
    threads.run_ready();
    a.heard.clear();
    b.heard.clear();
  }
};

}  // namespace

TEST_CASE_FIXTURE(fixture, "nodes that dial each other are connected once, and talk in order") {
  REQUIRE(a.wire->start(a).has_value());
  REQUIRE(b.wire->start(b).has_value());
  CHECK_FALSE(a.say(b.id, "too early").has_value());

  a.wire->dial(b.id, "b:22222");
  b.wire->dial(a.id, "a:22222");
  threads.run_ready();
  network.disturb({.delay_least = 1ms, .delay_most = 50ms});
  for (const auto* word : {"1", "2", "3"}) CHECK(a.say(b.id, word).has_value());
  CHECK(a.wire->queued(b.id) > 0);
  threads.advance(50ms);

  CHECK(a.heard == texts{"+b b:22222"});
  CHECK(b.heard == texts{"+a a:22222", "a: 1", "a: 2", "a: 3"});
  CHECK(a.wire->queued(b.id) == 0);
}

TEST_CASE_FIXTURE(fixture, "a node that nobody listens for is dialled with backoff until it is there") {
  REQUIRE(a.wire->start(a).has_value());
  a.wire->dial(b.id, "b:22222");
  threads.advance(1s);
  CHECK(a.failures.size() == 5);  // at 0, 50, 150, 350, 750 ms
  CHECK(a.failures[0] == "b 1");

  REQUIRE(b.wire->start(b).has_value());
  threads.advance(1s);

  CHECK(network.are_connected(a.id, b.id));
}

TEST_CASE_FIXTURE(fixture, "an address where another node listens is refused, and a hang-up ends the attempts") {
  REQUIRE(a.wire->start(a).has_value());
  REQUIRE(b.wire->start(b).has_value());
  a.wire->dial(node("c"), "b:22222");
  threads.run_ready();
  a.wire->hang_up(node("c"));
  threads.advance(1min);

  CHECK(a.failures == texts{"c 3"});
}

TEST_CASE_FIXTURE(fixture, "a cut holds what goes one way, and it arrives when it heals in time") {
  connect();
  network.cut(a.id, b.id);
  (void)a.say(b.id, "1");
  (void)b.say(a.id, "2");
  threads.advance(2s);
  CHECK(a.heard == texts{"b: 2"});
  CHECK(b.heard.empty());

  network.heal();
  (void)a.say(b.id, "3");
  threads.advance(2s);

  CHECK(b.heard == texts{"a: 1", "a: 3"});
}

TEST_CASE_FIXTURE(fixture, "a cut that lasts ends the connection, and nobody answers until it heals") {
  connect();
  network.cut_both(a.id, b.id);
  (void)a.say(b.id, "lost");
  threads.advance(3s);
  CHECK(a.heard == texts{"-b down"});
  CHECK(b.heard == texts{"-a down"});
  threads.advance(3s);
  CHECK(a.failures == texts{"b 2"});

  network.heal(a.id, b.id);
  threads.advance(10s);

  CHECK(a.heard.back() == "+b b:22222");
  CHECK(b.heard.back() == "+a a:22222");
}

TEST_CASE_FIXTURE(fixture, "a connection that breaks loses what is on the way, and is made again") {
  connect();
  network.disturb({.delay_least = 5ms, .delay_most = 5ms});
  (void)a.say(b.id, "lost");
  network.drop(a.id, b.id);
  threads.advance(1s);

  CHECK(a.heard == texts{"-b down", "+b b:22222"});
  CHECK(b.heard == texts{"-a down", "+a a:22222"});
}

TEST_CASE_FIXTURE(fixture, "a killed node hears nothing any more, and its address is free for its next life") {
  connect();
  network.kill(b.id);
  threads.run_ready();
  CHECK(a.heard == texts{"-b down"});
  CHECK(b.heard.empty());

  station next(network, "b", 2);
  REQUIRE(next.wire->start(next).has_value());
  threads.advance(1s);

  CHECK(next.heard == texts{"+a a:22222"});
}

TEST_CASE_FIXTURE(fixture, "a node that stops says goodbye, and is told of each connection's end before stop returns") {
  connect();

  b.wire->stop();
  CHECK(b.heard == texts{"-a shutting_down"});
  threads.run_ready();

  CHECK(a.heard == texts{"-b shutting_down"});
  b.wire->stop();
  CHECK(b.heard.size() == 1);
}

TEST_CASE_FIXTURE(fixture, "parcels can be lost and repeated, and too many are refused") {
  connect();
  network.disturb({.lost = 1});
  CHECK(a.say(b.id, "lost").has_value());
  network.disturb({.repeated = 1});
  CHECK(a.say(b.id, "twice").has_value());
  threads.run_ready();
  CHECK(b.heard == texts{"a: twice", "a: twice"});

  CHECK(a.say(b.id, std::string(2 << 20, 'x')).error().code == error_code::refused);
}
