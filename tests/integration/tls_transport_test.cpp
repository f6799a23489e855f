#include "internal/tls_transport.hpp"

#include "tests/support/raw_peer.hpp"
#include "tests/support/transport_net.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using flock::dial_failure;
using flock::error_code;
using flock::message;
using flock::message_kind;
using flock::testing::id_of;
using flock::testing::raw_peer;
using flock::testing::recorder;
using flock::testing::test_node;
using flock::testing::transport_net;

namespace {

bool any_failure(const recorder& seen, dial_failure how, const std::string& part) {
  return seen.wait([&](const recorder::seen& s) {
    return std::any_of(s.failures.begin(), s.failures.end(), [&](const recorder::failure& f) {
      return f.how == how && f.why.what.find(part) != std::string::npos;
    });
  });
}

}  // namespace

TEST_CASE("two nodes call each other and answer over one connection") {
  transport_net net;
  auto a = net.start("bender0"), b = net.start("bender1");
  b->seen.on_message = [&](const flock::hello& from, const message& m) {
    CHECK(b->port->send(from.id, {.kind = message_kind::reply, .id = m.id, .body = m.body}));
  };

  a->dial(*b);
  REQUIRE(a->seen.wait_connected());
  CHECK(a->port->send(b->self.id, {.kind = message_kind::call, .id = 1, .body = "ping"}));
  REQUIRE(a->seen.wait_messages(1));
  CHECK(b->port->send(a->self.id, {.kind = message_kind::call, .id = 2, .body = "pong"}));
  REQUIRE(a->seen.wait_messages(2));

  const auto seen = a->seen.all();
  CHECK(seen.messages[0] == message{.kind = message_kind::reply, .id = 1, .body = "ping"});
  CHECK(seen.messages[1].body == flock::value("pong"));
  CHECK(seen.connected.size() == 1);
  CHECK(seen.connected[0].id == b->self.id);
  CHECK(seen.connected[0].life == b->self.life);
  CHECK(seen.connected[0].address == b->address);
  CHECK(b->seen.all().connected.size() == 1);
}

TEST_CASE("the end of a peer is known at once, and that nobody listens there any more") {
  transport_net net;
  auto a = net.start("bender0"), b = net.start("bender1");
  a->dial(*b);
  REQUIRE(a->seen.wait_connected());

  b.reset();

  REQUIRE(a->seen.wait_disconnected());
  CHECK(a->seen.all().disconnected[0].why.code == error_code::shutting_down);
  CHECK(any_failure(a->seen, dial_failure::nobody_listens, "connection refused"));
  CHECK(a->seen.all().failures[0].why.code == error_code::unreachable);
  CHECK(a->port->send(id_of("bender1"), {}).error().code == error_code::unreachable);
}
