#include "libflock/zookeeper/zookeeper_registry.hpp"

#include "tests/support/private_zookeeper.hpp"
#include "tests/support/registry_contract.hpp"
#include "tools/cluster/child.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

namespace {

using flock::error_code;
using flock::milliseconds;
using flock::registry;
using flock::session_state;
using flock::internal::zookeeper_options;
using flock::testing::private_zookeeper;
using flock::testing::registry_client;

/// One server for all tests of this program, which is killed with it.
private_zookeeper& server() {
  static private_zookeeper all;
  return all;
}

class zookeeper_world final : public flock::testing::registry_world {
 public:
  explicit zookeeper_world(milliseconds session_timeout = milliseconds(10'000)) {
    static std::atomic<int> worlds = 0;
    options.servers = server().address();
    options.root = "/flock/test" + std::to_string(++worlds);
    options.session_timeout = session_timeout;
  }

  std::unique_ptr<registry> make_registry() override {
    return flock::internal::make_zookeeper_registry(flock::system_clock(), options);
  }
  bool wait_until(const std::function<bool()>& is_so) override {
    for (auto until = now() + milliseconds(20'000); now() < until;) {
      if (is_so()) return true;
      std::this_thread::sleep_for(milliseconds(2));
    }
    return false;
  }
  void disconnect() override { server().kill(); }
  void reconnect() override { server().restart(); }
  void expire(registry& whose) override { server().expire(whose.stats().session); }

  static flock::time_point now() { return flock::system_clock().now(); }

  zookeeper_options options;
};

milliseconds time_of(const std::function<void()>& work) {
  auto start = zookeeper_world::now();
  work();
  return std::chrono::duration_cast<milliseconds>(zookeeper_world::now() - start);
}

}  // namespace

TEST_CASE("the ZooKeeper registry keeps the contract of registries") {
  flock::testing::check_registry_contract<zookeeper_world>();
}

TEST_CASE("a session is lost by our own clock while the server is silent, and is followed by a fresh one") {
  const milliseconds session_timeout(1000);
  zookeeper_world world(session_timeout);
  registry_client anna(world);
  anna.start_and_wait();
  REQUIRE(anna.create("/here", "", registry::kind::ephemeral).has_value());
  anna.forget();

  server().pause();
  auto silent = time_of([&] { CHECK(anna.wait_for(session_state::lost)); });
  CHECK(registry_client::code(anna.get("/here")) == error_code::session_lost);
  server().resume();
  REQUIRE(anna.wait_for(session_state::ready, true));

  CHECK(silent <= session_timeout + milliseconds(200));
  CHECK(anna.create("/here", "", registry::kind::ephemeral).has_value());
  CHECK(anna.get("/here")->ours);
}

TEST_CASE("a session that the server kept though we gave it up is ended, with what it made") {
  zookeeper_world world(milliseconds(4000));
  registry_client anna(world);
  registry_client berta(world);
  anna.start_and_wait();
  berta.start_and_wait();
  REQUIRE(anna.create("/here", "", registry::kind::ephemeral).has_value());
  anna.forget();

  // A server that starts again gives each session its whole time-out anew.
  server().kill();
  REQUIRE(anna.wait_for(session_state::lost));
  server().restart();
  REQUIRE(anna.wait_for(session_state::ready, true));

  CHECK(anna.create("/here", "", registry::kind::ephemeral).has_value());
}

TEST_CASE("a server that lost all that it had stored gives a fresh session to those who knew it before") {
  zookeeper_world world(milliseconds(1000));
  registry_client anna(world);
  anna.start_and_wait();
  REQUIRE(anna.create("/here", "", registry::kind::ephemeral).has_value());
  anna.forget();

  server().kill();
  server().wipe();
  REQUIRE(anna.wait_for(session_state::lost));
  server().restart();
  REQUIRE(anna.wait_for(session_state::ready, true));

  CHECK(anna.create("/here", "", registry::kind::ephemeral).has_value());
}

TEST_CASE("a server that dies under calls leaves every one of them answered, changes in doubt") {
  zookeeper_world world;
  registry_client anna(world);
  anna.start_and_wait();
  constexpr int calls = 100;
  std::atomic<int> answers = 0;
  std::atomic<int> in_doubt = 0;

  server().pause();
  for (int i = 0; i < calls; ++i)
    anna.tree().create("/all/" + std::to_string(i), "", registry::kind::persistent, [&](const auto& r) {
      in_doubt += registry_client::code(r) == error_code::maybe_done;
      ++answers;
    });
  server().kill();

  CHECK(world.wait_until([&] { return answers == calls; }));
  CHECK(in_doubt == calls);
  server().restart();
  CHECK(anna.wait_for(session_state::ready, false));
}

TEST_CASE("without a server a registry goes on trying, fails calls at once and stops promptly") {
  zookeeper_world world(milliseconds(500));
  world.options.servers = "127.0.0.1:" + std::to_string(flock::testing::free_port());
  registry_client anna(world);
  anna.start();

  auto answered = time_of([&] { CHECK(registry_client::code(anna.get("/a")) == error_code::session_lost); });
  CHECK(world.wait_until([&] { return !anna.tree().stats().last_error.empty(); }));
  auto stopped = time_of([&] { anna.stop(); });

  CHECK(answered < milliseconds(500));
  CHECK(stopped < milliseconds(1000));
  CHECK(anna.tree().stats().last_error == "no answer from " + world.options.servers);
}

TEST_CASE("a registry stops promptly while its server is silent") {
  zookeeper_world world;
  registry_client anna(world);
  anna.start_and_wait();

  server().pause();
  auto stopped = time_of([&] { anna.stop(); });
  server().resume();

  // The client waits 1.5 s for the server's goodbye.
  CHECK(stopped < milliseconds(2000));
}

TEST_CASE("a server that comes late, and a host name that means nothing, are tried again") {
  zookeeper_world world;
  registry_client anna(world);
  server().kill();
  anna.start();
  server().restart();
  CHECK(anna.wait_for(session_state::ready, true));

  world.options.servers = "no-such-host.invalid:2181";
  registry_client lost(world);
  lost.start();
  CHECK(world.wait_until([&] { return !lost.tree().stats().last_error.empty(); }));
  CHECK(lost.tree().stats().last_error.find("no-such-host.invalid:2181") != std::string::npos);
}

TEST_CASE("with a password, others may not read") {
  zookeeper_world world;
  world.options.auth = "digest:flock:s3:cret";
  registry_client anna(world);
  anna.start_and_wait();
  REQUIRE(anna.create("/a/b", "x").has_value());
  registry_client same(world);
  same.start_and_wait();
  world.options.auth = "digest:flock:guess";
  registry_client stranger(world);
  stranger.start_and_wait();

  CHECK(same.get("/a/b")->data == "x");
  CHECK(registry_client::code(stranger.get("/a/b")) == error_code::refused);
  CHECK(registry_client::code(stranger.create("/c")) == error_code::refused);
}

TEST_CASE("a registry says where it is connected, and logs what its session does") {
  zookeeper_world world;
  std::mutex mutex;
  std::string log;
  world.options.log = [&](std::string_view, const std::string& text) {
    std::lock_guard lock(mutex);
    log += text + "\n";
  };
  registry_client anna(world);
  anna.start_and_wait();
  REQUIRE(anna.create("/a").has_value());

  auto stats = anna.tree().stats();

  CHECK(stats.server == server().address());
  CHECK(stats.session != 0);
  CHECK(stats.operations == 1);
  std::lock_guard lock(mutex);
  CHECK(log.find("new session") != std::string::npos);
}
