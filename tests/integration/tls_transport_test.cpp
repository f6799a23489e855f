#include "libflock/tls/tls_transport.hpp"

#include "tests/support/raw_peer.hpp"
#include "tests/support/transport_net.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using namespace flock;
using namespace flock::testing;

TEST_CASE("two nodes call each other and answer over one connection") {
  transport_net net;
  auto a = net.start("bender0"), b = net.start("bender1");
  b->seen.on_message = [&](const hello& from, const message& m) {
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
  CHECK(seen.messages[1].body == value("pong"));
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

TEST_CASE("a peer whose process is killed is lost at once, and its redial says that nobody listens") {
  transport_net net;
  auto a = net.start("bender0"), gone = net.start("bender1");
  const auto nobody = gone->address;
  gone.reset();
  auto killed = std::make_unique<raw_peer>(a->address, net.context(net.files("bender1")));
  REQUIRE(killed->handshake());
  killed->send(hello_of(net.introduce("bender1")));
  REQUIRE(a->seen.wait_connected());
  a->port->dial(id_of("bender1"), nobody);

  const auto start = std::chrono::steady_clock::now();
  killed.reset();

  REQUIRE(a->seen.wait_disconnected());
  CHECK(a->seen.all().disconnected[0].why.code == error_code::down);
  CHECK(any_failure(a->seen, dial_failure::nobody_listens, "connection refused"));
  CHECK(std::chrono::steady_clock::now() - start < 500ms);  // 1 ms on a machine that has nothing else to do
}

TEST_CASE("messages arrive in order and unchanged, whatever their size") {
  transport_net net;
  auto a = net.start("bender0"), b = net.start("bender1");
  b->dial(*a);
  REQUIRE(a->seen.wait_connected());
  std::vector<std::string> sent;
  for (std::size_t size : {0, 1, 100, 5000, 16384, 70000, 1000000, 3}) sent.emplace_back(size, 'x');

  for (const auto& text : sent) CHECK(a->say(*b, text));

  REQUIRE(b->seen.wait_messages(sent.size()));
  const auto got = b->seen.all().messages;
  for (std::size_t i = 0; i < sent.size(); ++i) CHECK(*got[i].body.as_text() == sent[i]);
}

TEST_CASE("a message to nobody, or over the limit, is refused and the connection goes on") {
  transport_net net;
  auto a = net.start("bender0"), b = net.start("bender1");
  CHECK(a->say(*b, "too early").error().code == error_code::unreachable);
  a->dial(*b);
  REQUIRE(a->seen.wait_connected());

  const auto refused = a->say(*b, std::string(2 << 20, 'x'));

  CHECK(refused.error().code == error_code::refused);
  CHECK(refused.error().what.find("bender1: a message of 20971") == 0);
  CHECK(a->say(*b, "fits"));
  CHECK(b->seen.wait_messages(1));
}

TEST_CASE("when both dial at once, one connection is used, nothing is lost or reordered, and nothing flaps") {
  constexpr int rounds = 50, each = 20;
  transport_net net;
  const auto options_a = net.options("bender0"), options_b = net.options("bender1");
  for (int round = 0; round < rounds; ++round) {
    CAPTURE(round);
    auto a = net.start("bender0", options_a), b = net.start("bender1", options_b);

    a->dial(*b);
    b->dial(*a);

    REQUIRE(a->seen.wait_connected());
    for (int i = 0; i < each; ++i) CHECK(a->say(*b, std::to_string(i)));
    REQUIRE(b->seen.wait_connected());
    for (int i = 0; i < each; ++i) CHECK(b->say(*a, std::to_string(i)));
    REQUIRE(a->seen.wait_messages(each));
    REQUIRE(b->seen.wait_messages(each));
    for (const auto* node : {a.get(), b.get()}) {
      const auto seen = node->seen.all();
      for (int i = 0; i < each; ++i)
        CHECK(*seen.messages[static_cast<std::size_t>(i)].body.as_text() == std::to_string(i));
      CHECK(seen.connected.size() == 1);
      CHECK(seen.disconnected.empty());
      CHECK(seen.failures.empty());
    }
  }
}

TEST_CASE("a node that starts again is connected with again, as another incarnation") {
  transport_net net;
  auto a = net.start("bender0"), b = net.start("bender1");
  auto again = net.options("bender1");
  again.listen = b->address;
  a->dial(*b);
  REQUIRE(a->seen.wait_connected());

  b.reset();
  b = net.start("bender1", again);

  REQUIRE(a->seen.wait_connected(2));
  const auto seen = a->seen.all();
  CHECK(seen.connected[1].life == b->self.life);
  CHECK(seen.connected[0].life != b->self.life);
  CHECK(seen.disconnected.size() == 1);
  CHECK(a->say(*b, "hello again"));
  CHECK(b->seen.wait_messages(1));
}

TEST_CASE("a dialled name is looked up, and a new address ends the wait for the old one") {
  transport_net net;
  auto patient = net.options("bender0");
  patient.limits.backoff_first = patient.limits.backoff_last = 1h;
  auto a = net.start("bender0", patient), b = net.start("bender1");
  const auto port = b->address.substr(b->address.rfind(':'));
  a->port->dial(b->self.id, "no-such-host.invalid" + port);
  REQUIRE(any_failure(a->seen, dial_failure::no_answer, "no-such-host.invalid"));

  a->port->dial(b->self.id, "localhost" + port);

  CHECK(a->seen.wait_connected());
}

TEST_CASE("a node that was hung up on is not dialled again") {
  transport_net net;
  auto quick = net.options("bender0");
  quick.limits.backoff_first = quick.limits.backoff_last = 1ms;
  auto a = net.start("bender0", quick), b = net.start("bender1"), c = net.start("bender2");
  const auto nobody = b->address;
  b.reset();
  a->port->dial(id_of("bender1"), nobody);
  REQUIRE(any_failure(a->seen, dial_failure::nobody_listens, "connection refused"));

  a->port->hang_up(id_of("bender1"));
  a->dial(*c);  // when this is done, hang_up is

  REQUIRE(a->seen.wait_connected());
  const auto before = a->seen.all().failures.size();
  CHECK(a->say(*c, "time passes"));
  CHECK(c->seen.wait_messages(1));
  CHECK(a->seen.all().failures.size() == before);
}

TEST_CASE("it works over IPv6 and without certificates on loopback") {
  transport_net net;
  auto a = net.start("bender0", {.listen = "[::1]:0"}), b = net.start("bender1", {.listen = "[::1]:0"});
  CHECK(a->address.find("[::1]:") == 0);

  a->dial(*b);

  REQUIRE(b->seen.wait_connected());
  CHECK(b->say(*a, "hi"));
  CHECK(a->seen.wait_messages(1));
}

TEST_CASE("bad certificates stop the start, and a reload keeps the ones in use") {
  transport_net net;
  auto options = net.options("bender0");
  const auto now = system_clock().wall();
  const auto expired = net.files("expired", "bender0", {now - 2h, now - 1h}, net.authority);
  const auto others = net.files("leela");
  auto missing = *options.files;
  missing.key = "/nowhere/key.pem";
  for (const auto& [bad, code] : {std::pair(expired, error_code::bad_argument),
                                  std::pair(others, error_code::bad_argument), std::pair(missing, error_code::io)}) {
    auto made = internal::make_tls_transport(net.introduce("bender0"), {.listen = "127.0.0.1:0", .files = bad});
    REQUIRE(!made);
    CHECK(made.error().code == code);
  }

  auto a = net.start("bender0", options), b = net.start("bender1"), c = net.start("bender2");
  std::filesystem::copy_file(expired.cert, options.files->cert, std::filesystem::copy_options::overwrite_existing);
  CHECK(!a->port->reload());
  a->dial(*b);
  REQUIRE(a->seen.wait_connected());
  net.files("bender0");  // new ones in the same place
  CHECK(a->port->reload());
  a->dial(*c);

  CHECK(a->seen.wait_connected(2));
  CHECK(a->seen.all().disconnected.empty());
}

TEST_CASE("stopping says goodbye to everybody and can be done twice") {
  transport_net net;
  auto a = net.start("bender0"), b = net.start("bender1"), c = net.start("bender2");
  b->dial(*a);
  c->dial(*a);
  REQUIRE(a->seen.wait_connected(2));
  CHECK(a->say(*b, "last words"));

  a->port->stop();
  a->port->stop();

  CHECK(a->seen.all().disconnected.size() == 2);
  for (const auto* other : {b.get(), c.get()}) {
    REQUIRE(other->seen.wait_disconnected());
    CHECK(other->seen.all().disconnected[0].why.code == error_code::shutting_down);
  }
  CHECK(b->seen.wait_messages(1));
  CHECK(a->say(*b, "too late").error().code == error_code::unreachable);
}
