// Who is not let in, and that both sides say why.
#include "tests/support/raw_peer.hpp"
#include "tests/support/transport_net.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>

using namespace std::chrono_literals;
using namespace flock;
using namespace flock::testing;

namespace {

const std::string& reason_in(const message& goodbye) {
  REQUIRE(goodbye.kind == message_kind::goodbye);
  return *goodbye.body["why"].as_text();
}

}  // namespace

TEST_CASE("a node of another authority is rejected, whoever dials") {
  transport_net net, other;
  auto a = net.start("bender0"), b = other.start("bender1");

  a->dial(*b);
  b->dial(*a);

  CHECK(any_failure(a->seen, dial_failure::rejected, "its certificate: "));
  CHECK(any_failure(b->seen, dial_failure::rejected, "its certificate: "));
  CHECK(a->seen.all().failures[0].why.code == error_code::refused);
  CHECK(a->seen.wait_logged("refused a connection from 127.0.0.1:"));
  CHECK(a->seen.all().connected.empty());
}

TEST_CASE("an expired certificate is rejected with the reason") {
  transport_net net;
  auto a = net.start("bender0");
  const auto now = system_clock().wall();
  raw_peer late(a->address, net.context(net.files("late", "bender1", {now - 2h, now - 1h}, net.authority)));

  late.handshake();

  CHECK(late.is_closed_within(5s));
  CHECK(a->seen.wait_logged("certificate has expired"));
  CHECK(a->seen.all().connected.empty());
}

TEST_CASE("a client without a certificate is rejected") {
  transport_net net;
  auto a = net.start("bender0");
  raw_peer anonymous(a->address, net.context({.ca = net.files("bender1").ca}));

  anonymous.handshake();

  CHECK(anonymous.is_closed_within(5s));
  CHECK(a->seen.wait_logged("peer did not return a certificate"));
}

TEST_CASE("a node with another node's certificate is told both names") {
  transport_net net;
  auto a = net.start("bender0");
  raw_peer leela(a->address, net.context(net.files("leela")));
  REQUIRE(leela.handshake());

  leela.send(hello_of(net.introduce("bender1")));

  const auto said = leela.receive();
  REQUIRE(said);
  CHECK(reason_in(*said) == "it says that it is bender1, its certificate is for [DNS:leela]");
  CHECK(a->seen.wait_logged("its certificate is for [DNS:leela]"));
  CHECK(a->seen.all().connected.empty());
}

TEST_CASE("names are compared whole, in any case, and from URIs too") {
  transport_net net;
  auto a = net.start("bender0");
  const auto upper = net.files("upper", "BENDER1", transport_net::valid_now(), net.authority);
  const auto colon = net.files("bender:2");  // no host name: goes into a URI
  const auto longer = net.files("bender1.example");
  const auto greets = [&](const internal::tls_files& files, const std::string& id) {
    raw_peer peer(a->address, net.context(files));
    REQUIRE(peer.handshake());
    peer.send(hello_of(net.introduce(id)));
    const auto answer = peer.receive();
    return answer && answer->kind == message_kind::hello;
  };

  CHECK(greets(upper, "bender1"));
  CHECK(greets(colon, "bender:2"));
  CHECK(!greets(colon, "bender:3"));
  CHECK(!greets(longer, "bender1"));
}

TEST_CASE("whoever answers for another node than the dialled one is rejected") {
  transport_net net;
  auto a = net.start("bender0"), b = net.start("bender1");

  a->port->dial(id_of("fry"), b->address);

  CHECK(any_failure(a->seen, dial_failure::rejected, "dialled fry, reached bender1"));
  CHECK(b->seen.wait_logged("refused"));
  CHECK(a->seen.all().connected.empty());
  CHECK(b->seen.all().connected.empty());
}

TEST_CASE("two flocks do not meet, and the dialler learns why") {
  transport_net net;
  auto a = net.start("bender0");
  test_node b(net.introduce("bender1", "/flock/staging"), net.options("bender1"));

  b.dial(*a);

  CHECK(any_failure(b.seen, dial_failure::rejected,
                    "bender1 is in flock \"/flock/staging\", bender0 in \"/flock/test\""));
  CHECK(a->seen.wait_logged("/flock/staging"));
}

TEST_CASE("a node does not connect with itself") {
  transport_net net;
  auto a = net.start("bender0");

  a->dial(*a);

  CHECK(any_failure(a->seen, dial_failure::rejected, "dialled itself"));
  CHECK(a->seen.all().connected.empty());
}

TEST_CASE("a second living node with the same id is refused, and takes over when the first is gone") {
  transport_net net;
  auto a = net.start("bender0"), first = net.start("bender1"), second = net.start("bender1");
  first->dial(*a);
  REQUIRE(a->seen.wait_connected());

  second->dial(*a);

  CHECK(any_failure(second->seen, dial_failure::rejected, "conflict: bender1 is connected already"));
  CHECK(a->seen.all().disconnected.empty());
  first.reset();
  REQUIRE(second->seen.wait_connected());
  CHECK(a->seen.wait_connected(2));
  CHECK(a->seen.all().connected[1].life == second->self.life);
}

TEST_CASE("a new life of a node replaces the one that has fallen silent") {
  transport_net net;
  auto slow = net.options("bender0");
  slow.limits.heartbeat = 200ms;
  auto a = net.start("bender0", slow);
  raw_peer stopped(a->address, net.context(net.files("bender1")));
  REQUIRE(stopped.handshake());
  stopped.send(hello_of(net.introduce("bender1")));
  REQUIRE(a->seen.wait_connected());
  auto quick = net.options("bender1");
  quick.limits.backoff_first = quick.limits.backoff_last = 10ms;

  auto again = net.start("bender1", quick);
  again->dial(*a);

  REQUIRE(a->seen.wait_connected(2));
  const auto seen = a->seen.all();
  CHECK(seen.connected[1].life == again->self.life);
  CHECK(seen.disconnected.size() == 1);
  CHECK(seen.disconnected[0].why.what == "replaced by a newer connection");
}

TEST_CASE("what is no TLS is refused, and other connections go on") {
  transport_net net;
  auto a = net.start("bender0"), b = net.start("bender1");
  a->dial(*b);
  REQUIRE(b->seen.wait_connected());
  std::string noise;
  for (unsigned i = 0; i < 3000; ++i) noise += static_cast<char>(i * 2654435761u >> 24);

  for (int i = 0; i < 5; ++i) {
    raw_peer web(b->address, nullptr), random(b->address, nullptr), shy(b->address, nullptr);
    web.send_bytes("GET / HTTP/1.0\r\n\r\n");
    random.send_bytes(noise);
    CHECK(web.is_closed_within(5s));
    CHECK(random.is_closed_within(5s));
  }

  CHECK(b->seen.wait_logged("refused a connection from 127.0.0.1:"));
  CHECK(a->say(*b, "still here"));
  CHECK(b->seen.wait_messages(1));
  CHECK(a->seen.all().disconnected.empty());
}
