#include "tests/support/small_flock.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

// Actors of other nodes: calls, monitors, and how they are found.

using namespace flock;
using namespace flock::testing;
using namespace std::chrono_literals;

TEST_CASE_FIXTURE(counting_pair, "messages without an answer are delivered in order, between calls") {
  connect();

  for (int i = 0; i < 3; ++i) CHECK(a->send(*address::parse("b/counter"), "note", {i}));

  CHECK(*ask(a, "b/counter", "add", {0}) == value(3));
  CHECK(b->send(*address::parse("b/counter"), "note", {1}));
  CHECK(*ask(a, "b/counter", "add", {0}) == value(4));
}

TEST_CASE_FIXTURE(counting_pair, "a message without an answer is refused where it is seen that it cannot arrive") {
  CHECK(a->send(*address::parse("counter"), "note", {1}).error().code == error_code::bad_argument);
  CHECK(a->send(*address::parse("a/counter"), "note", {1}).error().code == error_code::not_found);
  CHECK(a->send(*address::parse("b/counter"), "note", {1}).error().code == error_code::unreachable);
  settle();
  CHECK_MESSAGE(a->send(*address::parse("b/counter"), "note", {1}), "a connection was made for the next one");
}

TEST_CASE_FIXTURE(counting_pair,
                  "a message without an answer that cannot be delivered is told of on its receiver, and ends nothing") {
  connect();

  CHECK(a->send(*address::parse("b/nobody"), "note", {1}));
  CHECK(a->send(*address::parse("b/flock"), "ping", {}));
  CHECK(a->send(*address::parse("b/counter"), "no_such_method", {}));
  settle();

  std::vector<std::string> told;
  for (const auto& t : b->troubles().lines()) told.push_back(t.text);
  REQUIRE(told.size() == 2);
  CHECK(told[0] == "dropped a message of a: no actor named nobody on b");
  CHECK(told[1] == "dropped a message of a: a node takes calls only");
  CHECK(*ask(a, "b/counter", "add", {0}) == value(0));
}

TEST_CASE_FIXTURE(counting_pair, "an actor of another node answers, wherever it is asked for by name") {
  CHECK(ask(a, "b/counter", "add", {2}) == result<value>(2));
  CHECK(ask(a, "counter", "add", {3}) == result<value>(5));
  CHECK(ask(b, "counter", "add", {1}) == result<value>(6));
  CHECK(code(ask(a, "b/counter", "dance", {})) == error_code::no_such_method);
  CHECK(code(ask(a, "b/counter", "add", {"two"})) == error_code::bad_argument);
  CHECK(ask(a, "b/nobody", "add", {1}).error() == error{error_code::not_found, "no actor named nobody on b"});
}

TEST_CASE_FIXTURE(counting_pair, "an actor is told which node asks, this one or another") {
  CHECK(ask(a, "b/counter", "who", {nullptr}) == result<value>("a"));
  CHECK(ask(b, "b/counter", "who", {nullptr}) == result<value>("b"));
}

TEST_CASE("a node that nobody knows is not found, and an actor that nobody publishes neither") {
  small_flock f;
  auto& a = f.start("a");

  CHECK(code(f.ask(a, "nowhere/counter", "add", {1})) == error_code::not_found);
  CHECK(code(f.ask(a, "nowhere/counter", "add", {1})) == error_code::not_found);  // known to be absent by now
  CHECK(code(f.ask(a, "counter", "add", {1})) == error_code::not_found);
}

TEST_CASE_FIXTURE(counting_pair, "a call that is not answered in time may be done") {
  CHECK(code(ask(a, "b/counter", "never", {}, 1s)) == error_code::maybe_done);
  CHECK(code(ask(b, "b/counter", "never", {}, 1s)) == error_code::maybe_done);
}

TEST_CASE_FIXTURE(counting_pair, "a call that was not sent by its deadline is not sent when there is a way again") {
  REQUIRE(ask(a, "b/counter", "add", {1}) == result<value>(1));
  network.disturb({.delay_least = 3s, .delay_most = 3s});
  network.drop(id("a"), id("b"));
  settle();

  CHECK(code(ask(a, "b/counter", "add", {1}, 1s)) == error_code::timeout);
  threads.advance(20s);
  REQUIRE(a->peers().contains(id("b")));
  network.disturb({});

  CHECK(ask(a, "b/counter", "add", {1}) == result<value>(2));
}

TEST_CASE_FIXTURE(counting_pair, "calls and monitors outlive a connection that breaks and comes back") {
  std::optional<result<value>> answer;
  int fired = 0;
  a->ask(*address::parse("b/counter"), "never", {}, time.now() + 1h, [&](result<value> r) { answer = std::move(r); });
  a->monitor(*address::parse("b/counter"), [&](const error&) { ++fired; });
  settle();

  network.drop(id("a"), id("b"));
  threads.advance(10s);
  CHECK(a->peers().contains(id("b")));
  CHECK_FALSE(answer.has_value());
  CHECK(fired == 0);

  kill("b");
  CHECK(answer.has_value());
  CHECK(fired == 1);
}

TEST_CASE_FIXTURE(counting_pair, "a call to a node that was killed is answered before its deadline") {
  connect();
  std::optional<result<value>> answer;
  a->ask(*address::parse("b/counter"), "never", {}, time.now() + 1h, [&](result<value> r) { answer = std::move(r); });
  settle();
  REQUIRE_FALSE(answer.has_value());

  kill("b");

  REQUIRE(answer.has_value());
  CHECK(code(*answer) == error_code::maybe_done);
  CHECK(contains(events(a), "failed"));
}

TEST_CASE("a monitor fires once: when its node dies, or the actor goes, or is not there at all") {
  small_flock f;
  auto& a = f.start("a");
  auto& b = f.start("b");
  f.publish(b, "stays");
  f.publish(b, "goes");
  int stays = 0, goes = 0, absent = 0;
  a->monitor(*address::parse("b/stays"), [&](const error& why) { stays += why.code == error_code::down; });
  a->monitor(*address::parse("b/goes"), [&](const error& why) { goes += why.code == error_code::down; });
  a->monitor(*address::parse("b/absent"), [&](const error& why) { absent += why.code == error_code::down; });
  f.settle();
  CHECK(absent == 1);
  CHECK(goes == 0);

  b->unpublish(*actor_name::parse("goes"));
  f.settle();
  CHECK(goes == 1);
  CHECK(stays == 0);

  f.kill("b");
  CHECK(stays == 1);
  CHECK(goes == 1);
}

TEST_CASE("find waits for a node and an actor that come later") {
  small_flock f;
  auto& a = f.start("a");
  std::optional<result<address>> there, anywhere;
  a->find(*address::parse("b/counter"), f.time.now() + 10s, [&](result<address> r) { there = std::move(r); });
  a->find(*address::parse("counter"), f.time.now() + 10s, [&](result<address> r) { anywhere = std::move(r); });
  f.settle();
  REQUIRE_FALSE(there.has_value());

  auto& b = f.start("b");
  f.publish(b, "counter");
  f.threads.advance(2s);

  REQUIRE(there.has_value());
  CHECK(there->has_value());
  REQUIRE(anywhere.has_value());
  CHECK(anywhere->has_value());
}

TEST_CASE("find gives up at its deadline") {
  small_flock f;
  auto& a = f.start("a");
  std::optional<result<address>> found;
  a->find(*address::parse("b/counter"), f.time.now() + 1s, [&](result<address> r) { found = std::move(r); });
  f.threads.advance(1001ms);
  REQUIRE(found.has_value());
  CHECK_FALSE(found->has_value());
}

TEST_CASE_FIXTURE(counting_pair, "peers of another environment are not admitted") {
  b->admit_by(policy("elsewhere"));

  CHECK(code(ask(a, "b/counter", "add", {1})) == error_code::refused);
}

TEST_CASE_FIXTURE(counting_pair, "a node that stops answers what waits, and whoever asks later") {
  std::optional<result<value>> waiting;
  a->ask(*address::parse("b/counter"), "never", {}, time.now() + 1h, [&](result<value> r) { waiting = std::move(r); });
  settle();
  bool stopped = false;
  a->stop([&] { stopped = true; });
  settle();
  CHECK(stopped);
  std::optional<result<value>> later;
  // Its callbacks are closed as well: only a blocking caller could hear of it.
  CHECK_FALSE(a->publish(*actor_name::parse("x"), "x", nullptr));
}
