#include "tools/cluster/zookeeper_server.hpp"

#include "tests/support/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

namespace {

using flock::milliseconds;
using flock::testing::temporary_folder;
using flock::testing::zookeeper_server;

constexpr milliseconds patience{30'000};

zookeeper_server start(zookeeper_server::options o) {
  auto started = zookeeper_server::start(std::move(o));
  REQUIRE(started.has_value());
  return std::move(*started);
}

}  // namespace

TEST_CASE("a ZooKeeper server serves, and serves again after it was killed") {
  temporary_folder folder;
  auto server = start({folder.path().string(), zookeeper_server::pick_ports(1)});
  REQUIRE(server.wait_until_serving(patience).has_value());

  server.kill();
  CHECK(zookeeper_server::ask(server.port(), "srvr").error().code == flock::error_code::unreachable);
  CHECK(server.wait_until_serving(patience).error().code == flock::error_code::down);

  REQUIRE(server.restart().has_value());
  CHECK(server.wait_until_serving(patience).has_value());
}

TEST_CASE("three ZooKeeper servers are an ensemble with one leader") {
  temporary_folder folder;
  auto ports = zookeeper_server::pick_ports(3);
  std::vector<zookeeper_server> servers;
  for (int number = 1; number <= 3; ++number)
    servers.push_back(start({(folder.path() / std::to_string(number)).string(), ports, number}));
  for (auto& server : servers) {
    const auto serves = server.wait_until_serving(patience);
    REQUIRE_MESSAGE(serves, (serves ? "" : serves.error().what));
  }

  int leaders = 0;
  for (auto& server : servers) {
    auto status = zookeeper_server::ask(server.port(), "srvr");
    REQUIRE(status.has_value());
    leaders += status->find("Mode: leader") != std::string::npos;
  }

  CHECK(leaders == 1);
}
