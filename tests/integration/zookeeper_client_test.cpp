#include "libflock/zookeeper/zookeeper_client.hpp"

#include "tests/support/polling.hpp"
#include "tests/support/private_zookeeper.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <cstddef>
#include <sched.h>
#include <string>
#include <sys/resource.h>
#include <thread>
#include <unistd.h>

namespace {

using flock::milliseconds;
using flock::internal::zookeeper_client;
using flock::internal::zookeeper_reply;

/// Does what is posted at once, on the C client's thread.
class quick_sink final : public flock::internal::zookeeper_sink {
 public:
  void post(flock::task job) override { job(); }
  void session_event(std::uint64_t, int zoo_state) override { is_connected = zoo_state == ZOO_CONNECTED_STATE; }
  void watch_event(std::uint64_t, const std::string&) override {}
  void call_ended(std::uint64_t, std::uint64_t, zookeeper_reply) override { ++ended; }

  std::atomic<bool> is_connected = false;
  std::atomic<int> ended = 0;
};

/// While it lives, this thread and those that it begins share one processor.
class one_processor {
 public:
  one_processor() {
    REQUIRE(sched_getaffinity(0, sizeof(before_), &before_) == 0);
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(sched_getcpu(), &one);
    REQUIRE(sched_setaffinity(0, sizeof(one), &one) == 0);
  }
  one_processor(const one_processor&) = delete;
  one_processor& operator=(const one_processor&) = delete;
  ~one_processor() { sched_setaffinity(0, sizeof(before_), &before_); }

 private:
  cpu_set_t before_;
};

/// Closes a client in a thread to which all others are preferred.
std::size_t close_slowly(zookeeper_client& client) {
  std::size_t lost = 0;
  std::thread slow([&] {
    sched_param lowest{};
    sched_setscheduler(0, SCHED_IDLE, &lowest);
    lost = client.close();
  });
  slow.join();
  return lost;
}

}  // namespace

TEST_CASE("a ZooKeeper client that is closed while its server is silent loses no call that is open") {
  flock::testing::private_zookeeper server;
  one_processor alone;
  quick_sink sink;
  zookeeper_client client(sink, 1, server.address(), milliseconds(10'000), nullptr);
  REQUIRE(client.is_open());
  REQUIRE(flock::testing::eventually([&] { return sink.is_connected.load(); }));
  constexpr int calls = 10;

  server.pause();
  for (int i = 0; i < calls; ++i) client.get("/", false, {}, nullptr);
  auto lost = close_slowly(client);
  server.resume();

  CHECK(lost == 0);
  CHECK(sink.ended == calls);
}
