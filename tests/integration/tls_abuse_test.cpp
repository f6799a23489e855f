// Peers that are slow, silent, greedy or many: they cost a bounded amount, and nobody else notices.
#include "tests/support/raw_peer.hpp"
#include "tests/support/transport_net.hpp"

#include <doctest/doctest.h>

#include <arpa/inet.h>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <netinet/in.h>
#include <string>
#include <sys/resource.h>
#include <sys/socket.h>
#include <thread>
#include <time.h>
#include <unistd.h>
#include <vector>

using namespace std::chrono_literals;
using flock::error_code;
using flock::message;
using flock::message_kind;
using flock::testing::hello_of;
using flock::testing::id_of;
using flock::testing::raw_peer;
using flock::testing::transport_net;

namespace {

/// Changes how many descriptors this process may have, until it goes.
class descriptor_limit {
 public:
  descriptor_limit() { ::getrlimit(RLIMIT_NOFILE, &before_); }
  ~descriptor_limit() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  descriptor_limit(const descriptor_limit&) = delete;
  descriptor_limit& operator=(const descriptor_limit&) = delete;

  bool at_least(rlim_t wanted) {
    if (before_.rlim_cur < wanted) set(wanted);
    rlimit now;
    ::getrlimit(RLIMIT_NOFILE, &now);
    return now.rlim_cur >= wanted;
  }
  void set(rlim_t to) {
    const rlimit now{to, before_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &now);
  }

 private:
  rlimit before_;
};

/// Its machine takes connections, but nobody ever speaks on them.
class silent_listener {
 public:
  explicit silent_listener(int connections) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    REQUIRE(::bind(socket_, reinterpret_cast<sockaddr*>(&at), size) == 0);
    REQUIRE(::listen(socket_, connections) == 0);
    REQUIRE(::getsockname(socket_, reinterpret_cast<sockaddr*>(&at), &size) == 0);
    address_ = "127.0.0.1:" + std::to_string(ntohs(at.sin_port));
  }
  silent_listener(const silent_listener&) = delete;
  silent_listener& operator=(const silent_listener&) = delete;
  ~silent_listener() { ::close(socket_); }

  const std::string& address() const { return address_; }

 private:
  const int socket_;
  std::string address_;
};

std::size_t open_descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

// Under AddressSanitizer, which keeps what is freed, it means nothing.
std::size_t resident_bytes() {
#ifdef __SANITIZE_ADDRESS__
  return 0;
#endif
  std::size_t total = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> total >> resident;
  return resident * 4096;
}

std::chrono::nanoseconds processor_time() {
  timespec used;
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
}

template <class F> bool comes_true(F f) {
  const auto until = std::chrono::steady_clock::now() + 10s;
  while (!f()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(1ms);
  }
  return true;
}

std::unique_ptr<raw_peer> greeted(transport_net& net, const flock::testing::test_node& node, const std::string& id) {
  auto peer = std::make_unique<raw_peer>(node.address, net.context(net.files(id)));
  REQUIRE(peer->handshake());
  peer->send(hello_of(net.introduce(id)));
  const auto answer = peer->receive();
  REQUIRE(answer);
  REQUIRE(answer->kind == message_kind::hello);
  return peer;
}

flock::internal::tls_transport_options hasty(transport_net& net, const std::string& id) {
  auto o = net.options(id);
  o.limits.heartbeat = 100ms;
  o.limits.handshake = 400ms;
  return o;
}

}  // namespace

TEST_CASE("who stops in the middle of the handshake or of a hello is let go") {
  transport_net net;
  auto a = net.start("bender0", hasty(net, "bender0"));
  raw_peer mute(a->address, nullptr), half(a->address, net.context(net.files("bender1")));
  REQUIRE(half.handshake());

  half.send_bytes(std::string_view("\0\0\1\0half a hello", 16));

  CHECK(mute.is_closed_within(5s));
  CHECK(half.is_closed_within(5s));
}

TEST_CASE("a frame that claims 4 GiB ends its connection and costs nothing") {
  transport_net net;
  auto a = net.start("bender0");
  raw_peer stranger(a->address, net.context(net.files("leela")));
  REQUIRE(stranger.handshake());
  auto known = greeted(net, *a, "zapp");
  REQUIRE(a->seen.wait_connected());
  const auto before = resident_bytes();

  stranger.send_bytes("\xff\xff\xff\xff and more");
  known->send_bytes("\xff\xff\xff\xff and more");

  CHECK(stranger.is_closed_within(5s));
  CHECK(known->is_closed_within(5s));
  REQUIRE(a->seen.wait_disconnected());
  CHECK(a->seen.all().disconnected[0].why.code == error_code::protocol);
  CHECK(a->seen.all().disconnected[0].why.what == "a frame of 4294967295 bytes, the limit is 1048576");
  CHECK(resident_bytes() < before + (64 << 20));
}

TEST_CASE("a peer that says hello and then nothing is down after three heartbeats, timing") {
  transport_net net;
  auto a = net.start("bender0", hasty(net, "bender0"));
  auto silent = greeted(net, *a, "bender1");
  REQUIRE(a->seen.wait_connected());
  const auto start = std::chrono::steady_clock::now();

  REQUIRE(a->seen.wait_disconnected());

  CHECK(std::chrono::steady_clock::now() - start >= 200ms);
  CHECK(a->seen.all().disconnected[0].why == flock::error{error_code::down, "silent for 300ms"});
}

TEST_CASE("two nodes with nothing to say stay connected") {
  transport_net net;
  auto a = net.start("bender0", hasty(net, "bender0")), b = net.start("bender1", hasty(net, "bender1"));
  auto witness = greeted(net, *a, "leela");
  a->dial(*b);
  REQUIRE(a->seen.wait_connected(2));

  REQUIRE(a->seen.wait_disconnected());  // the witness, after three heartbeats without a word

  CHECK(a->seen.all().disconnected.size() == 1);
  CHECK(a->seen.all().disconnected[0].peer.id == id_of("leela"));
  CHECK(b->seen.all().disconnected.empty());
  CHECK(a->say(*b, "still here"));
  CHECK(b->seen.wait_messages(1));
}

TEST_CASE("a peer that does not read fills its own queue and no other, and heartbeats pass what waits") {
  transport_net net;
  auto options = hasty(net, "bender0");
  options.limits.queue = 8 << 20;
  auto a = net.start("bender0", options), b = net.start("bender1", hasty(net, "bender1"));
  auto slow = greeted(net, *a, "leela");
  b->dial(*a);
  REQUIRE(a->seen.wait_connected(2));
  const message bulk{.kind = message_kind::call, .body = std::string(50'000, 'x')};
  const auto leela = id_of("leela");

  std::size_t taken = 0;
  auto sent = a->port->send(leela, bulk);
  for (; sent; sent = a->port->send(leela, bulk)) {
    if (++taken % 16 == 0) slow->send({.kind = message_kind::heartbeat});
  }
  CHECK(sent.error().code == error_code::refused);
  CHECK(a->port->queued(leela) < (9u << 20));

  // It is slow, not gone: it goes on to say so, for longer than a silent one is borne.
  for (int i = 0; i < 10; ++i) {
    slow->send({.kind = message_kind::heartbeat});
    CHECK(a->say(*b, std::to_string(i)));
    REQUIRE(b->seen.wait_messages(static_cast<std::size_t>(i) + 1));
    std::this_thread::sleep_for(40ms);
  }
  CHECK(a->seen.all().disconnected.empty());
  const auto waiting = a->port->queued(leela);  // the rest is in the kernel's hands, and cannot be passed

  std::size_t bulk_before = 0, got = 0;
  bool heartbeat = false;
  while (got < taken) {
    const auto m = slow->receive();
    REQUIRE(m);
    if (m->kind == message_kind::call) ++got;
    if (got % 16 == 0) slow->send({.kind = message_kind::heartbeat});
    // The first one only confirms the connection.
    if (m->kind == message_kind::heartbeat && got > 0 && !std::exchange(heartbeat, true)) bulk_before = got;
  }
  CHECK(heartbeat);
  CHECK((taken - bulk_before) * 50'000 > waiting - (200 << 10));
  CHECK(a->port->send(leela, bulk));
}

TEST_CASE("a thousand idle connections do not keep a node from being reached, and leave nothing behind") {
  descriptor_limit descriptors;
  REQUIRE(descriptors.at_least(4000));
  transport_net net;
  auto a = net.start("bender0"), b = net.start("bender1"), c = net.start("bender2");
  a->dial(*b);
  REQUIRE(b->seen.wait_connected());
  const auto descriptors_before = open_descriptors();
  const auto memory_before = resident_bytes();

  std::vector<std::unique_ptr<raw_peer>> idle;
  for (int i = 0; i < 1000; ++i) idle.push_back(std::make_unique<raw_peer>(b->address, nullptr));
  c->dial(*b);

  REQUIRE(b->seen.wait_connected(2));
  CHECK(a->say(*b, "still here"));
  CHECK(b->seen.wait_messages(1));
  CHECK(open_descriptors() < descriptors_before + 1000 + 64 + 16);
  CHECK(comes_true([&] { return open_descriptors() <= descriptors_before + 1000 + 2; }));
  idle.clear();
  CHECK(comes_true([&] { return open_descriptors() <= descriptors_before + 2; }));
  CHECK(resident_bytes() < memory_before + (32 << 20));
  CHECK(a->seen.all().disconnected.empty());
}

TEST_CASE("two hundred peers that never answer hold a healthy one up for moments, not for their handshakes") {
  const silent_listener silence(200);
  transport_net net;
  auto options = net.options("bender0");
  options.limits.handshake = 60s;
  auto a = net.start("bender0", options), b = net.start("bender1");

  for (int i = 0; i < 200; ++i) a->port->dial(id_of("silent" + std::to_string(i)), silence.address());
  a->dial(*b);

  CHECK(a->seen.wait_connected());
}

TEST_CASE("more than the allowed number of accepted connections are refused") {
  transport_net net;
  auto options = net.options("bender0");
  options.limits.connections = 2;
  auto a = net.start("bender0", options), b = net.start("bender1"), c = net.start("bender2"), d = net.start("bender3");
  b->dial(*a);
  c->dial(*a);
  REQUIRE(a->seen.wait_connected(2));

  d->dial(*a);

  CHECK(a->seen.wait_logged("there are 2 already"));
  c.reset();
  CHECK(a->seen.wait_connected(3));
}

TEST_CASE("without descriptors a node waits instead of spinning, and accepts when there are some, timing") {
  descriptor_limit descriptors;
  transport_net net;
  auto a = net.start("bender0");
  const auto context = net.context(net.files("bender1"));

  descriptors.set(open_descriptors() + 20);
  std::vector<int> all;
  for (int fd = ::dup(0); fd >= 0; fd = ::dup(0)) all.push_back(fd);
  ::close(all.back());
  all.pop_back();  // for the client; none is left for the server
  raw_peer waiting(a->address, context);
  REQUIRE(a->seen.wait_logged("cannot accept connections"));
  const auto before = processor_time();
  std::this_thread::sleep_for(300ms);
  CHECK(processor_time() - before < 100ms);

  for (int fd : all) ::close(fd);
  CHECK(waiting.handshake());
}
