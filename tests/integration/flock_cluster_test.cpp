#include "flock/testing/local_cluster.hpp"
#include "tests/support/polling.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tools/cluster/child.hpp"
#include "tools/cluster/cluster_folder.hpp"
#include "tools/cluster/files.hpp"
#include "tools/cluster/flockd_process.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

using namespace flock::testing;
using namespace std::chrono_literals;
using flock::error_code;

namespace {

namespace fs = std::filesystem;

constexpr flock::milliseconds patience{60'000};

using ids = std::set<std::string>;

bool comes_to_see(const cluster_node& node, const ids& expected) {
  return eventually([&] { return alive_nodes(node.socket()) == flock::result(expected); });
}

local_cluster start(local_cluster::options o) {
  o.common.insert(o.common.begin(), {{"session-timeout", "2s"}, {"heartbeat", "200ms"}});
  auto started = local_cluster::start(std::move(o));
  if (!started) FAIL(to_string(started.error()));
  return std::move(*started);
}

/// flock-cluster on one folder, as a shell runs it.
struct shell {
  temporary_folder folder;
  std::string dir = (folder.path() / "cluster").string();
  ~shell() { run({"down"}); }

  std::string out() const { return (folder.path() / "out").string(); }
  std::string err() const { return (folder.path() / "err").string(); }

  child begin(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), find_program("", "flock-cluster"));
    arguments.insert(arguments.end(), {"--dir", dir});
    for (const auto& old : {out(), err()}) fs::remove(old);
    auto process = child::start({.command = std::move(arguments), .log = err(), .output = out()});
    REQUIRE(process);
    return *std::move(process);
  }

  program_result end(child process) const {
    auto status = process.wait(patience);
    return {status ? *status : process.kill(), contents(out()), contents(err())};
  }

  program_result run(std::vector<std::string> arguments) const { return end(begin(std::move(arguments))); }

  /// Whatever was started in the folder and runs.
  std::vector<recorded_process> running() const {
    std::vector<recorded_process> all;
    for (auto& p : cluster_folder(dir).recorded().value_or({}))
      if (p.is_running()) all.push_back(p);
    return all;
  }

  ids seen_by(std::string_view id) const { return alive_nodes(cluster_folder(dir).socket(id)).value_or({}); }
};

}  // namespace

TEST_CASE("nodes of a cluster see each other, miss one that is killed, and see it again when it comes back") {
  auto cluster = start({.nodes = 3});
  auto &first = cluster.node("bender0"), &second = cluster.node("bender1");
  CHECK(cluster.ids() == std::vector<std::string>{"bender0", "bender1", "bender2"});
  CHECK(comes_to_see(second, {"bender0", "bender1", "bender2"}));

  first.kill();
  CHECK_FALSE(first.is_alive());
  CHECK(comes_to_see(second, {"bender1", "bender2"}));

  REQUIRE(first.start());
  CHECK(cluster.wait_until_all_see_all());
}

TEST_CASE("a paused node is missed, and seen again when it goes on") {
  auto cluster = start({.nodes = 2});
  auto &first = cluster.node("bender0"), &second = cluster.node("bender1");

  second.pause();
  CHECK(second.is_alive());
  CHECK(comes_to_see(first, {"bender0"}));
  second.resume();

  CHECK(comes_to_see(first, {"bender0", "bender1"}));
}

TEST_CASE("a cluster with TLS and three ZooKeeper servers outlives one of these") {
  auto cluster = start({.nodes = 2, .zookeepers = 3, .tls = true});

  cluster.zookeeper(1).kill();
  REQUIRE(cluster.node("bender1").restart());

  CHECK(cluster.wait_until_all_see_all());
  CHECK(cluster.zookeeper(1).start());
}

TEST_CASE("nodes go on while ZooKeeper is away, and a new one joins when it is back") {
  auto cluster = start({.nodes = 2});
  auto &first = cluster.node("bender0"), &second = cluster.node("bender1");
  second.stop();
  REQUIRE(comes_to_see(first, {"bender0"}));

  cluster.zookeeper().kill();
  CHECK(first.get("/v1/status"));
  REQUIRE(cluster.zookeeper().start());
  REQUIRE(second.start());

  CHECK(cluster.wait_until_all_see_all());
}

TEST_CASE("flockctl talks to the node that it is run for") {
  auto cluster = start({.nodes = 1, .prefix = "fry"});

  auto nodes = cluster.node("fry0").flockctl({"nodes", "--format", "json"});

  REQUIRE(nodes);
  CHECK(nodes->exit_status == 0);
  CHECK(nodes->out.find("\"fry0\"") != std::string::npos);
  CHECK(nodes->err.empty());
}

TEST_CASE("two clusters that start at once do not meet, and ending one leaves the other") {
  shell one, other;
  auto starts_one = one.begin({"up", "--nodes", "2"});
  auto starts_other = other.begin({"up", "--nodes", "3", "--prefix", "fry", "--tls"});
  for (auto up : {one.end(std::move(starts_one)), other.end(std::move(starts_other))}) {
    REQUIRE_MESSAGE(up.exit_status == 0, up.err);
    CHECK(up.err.empty());
  }
  CHECK(one.seen_by("bender0") == ids{"bender0", "bender1"});
  CHECK(other.seen_by("fry0") == ids{"fry0", "fry1", "fry2"});
  auto of_one = one.running();
  CHECK(of_one.size() == 3);

  CHECK(one.run({"down"}).exit_status == 0);

  for (const auto& p : of_one) CHECK_FALSE(p.is_running());
  CHECK(other.running().size() == 4);
}

TEST_CASE("flock-cluster up prints a line for each node, and fails where a cluster runs") {
  shell sh;

  auto up = sh.run({"up", "--nodes", "2", "--prefix", "leela", "--set", "role=captain"});
  REQUIRE_MESSAGE(up.exit_status == 0, up.err);

  CHECK(up.out.starts_with("leela0  pid "));
  CHECK(up.out.find("\nleela1  pid ") != std::string::npos);
  CHECK(up.out.find(sh.dir + "/leela1/flockd.sock\n") != std::string::npos);
  CHECK(contents(sh.dir + "/env").find("export FLOCK_SOCKET='" + sh.dir + "/leela0/flockd.sock'") != std::string::npos);
  CHECK(contents(sh.dir + "/leela0/flockd.pid") == std::to_string(sh.running()[1].pid) + "\n");
  CHECK(contents(sh.dir + "/leela0/flockd.conf").find("role = captain\n") != std::string::npos);
  auto again = sh.run({"up"});
  CHECK(again.exit_status == 1);
  CHECK(again.err.find("a cluster runs in " + sh.dir) != std::string::npos);
  CHECK(sh.running().size() == 3);
}

TEST_CASE("flock-cluster kills, restarts, pauses and resumes what it started, and nothing else") {
  shell sh;
  REQUIRE(sh.run({"up", "--nodes", "2"}).exit_status == 0);
  const auto before = sh.running();

  CHECK(sh.run({"kill", "bender1"}).exit_status == 0);
  CHECK(sh.running().size() == 2);
  CHECK(sh.run({"kill", "bender1"}).exit_status == 1);
  CHECK(sh.run({"restart", "bender1"}).exit_status == 0);
  CHECK(sh.run({"restart", "bender1"}).exit_status == 0);
  CHECK(sh.running().size() == 3);
  CHECK(sh.running() != before);
  CHECK(sh.run({"pause", "bender0"}).exit_status == 0);
  CHECK(sh.run({"resume", "bender0"}).exit_status == 0);
  CHECK(sh.run({"pause", "bender0"}).exit_status == 0);
  CHECK(sh.run({"kill", "bender7"}).exit_status == 4);

  CHECK(sh.run({"down"}).exit_status == 0);
  CHECK(sh.running().empty());
  CHECK(sh.run({"down"}).exit_status == 0);
}

TEST_CASE("what is left of a cluster that crashed is told of, and cleaned by down") {
  shell sh;
  REQUIRE(sh.run({"up", "--nodes", "1"}).exit_status == 0);
  for (const auto& p : sh.running()) CHECK(p.signal(SIGKILL));
  REQUIRE(eventually([&] { return sh.running().empty(); }));

  auto up = sh.run({"up", "--nodes", "1"});
  CHECK(up.exit_status == 1);
  CHECK(up.err.find("left of a cluster") != std::string::npos);
  CHECK(sh.run({"down"}).exit_status == 0);

  up = sh.run({"up", "--nodes", "1"});
  CHECK_MESSAGE(up.exit_status == 0, up.err);
}

TEST_CASE("what a node said when it could not be started is told, and nothing of what it said before") {
  shell sh;
  const auto first = sh.run({"up", "--nodes", "1", "--set", "nonsense=1"});
  CHECK_MESSAGE(first.err.find("unknown key 'nonsense'") != std::string::npos, first.err);

  const auto second = sh.run({"up", "--nodes", "1", "--set", "heartbeat=1"});

  CHECK(second.exit_status == 1);
  CHECK_MESSAGE(second.err.find("heartbeat: duration") != std::string::npos, second.err);
  CHECK_MESSAGE(second.err.find("nonsense") == std::string::npos, second.err);
}

TEST_CASE("flock-cluster says which limits leave no room for so many nodes, and starts nothing") {
  const shell sh;

  const auto refused = sh.run({"up", "--nodes", "5000000"});

  CHECK(refused.exit_status == 1);
  CHECK(refused.out == "");
  CHECK_MESSAGE(refused.err.find("no room for 5000000 nodes: ") != std::string::npos, refused.err);
  CHECK_MESSAGE(refused.err.find("65000100 processes and threads are needed, but ") != std::string::npos, refused.err);
  CHECK_FALSE(fs::exists(sh.dir));
}

TEST_CASE("a mistake in the usage of flock-cluster, and down where nothing runs, start nothing") {
  shell sh;

  for (const auto& wrong : std::vector<std::vector<std::string>>{{"frobnicate"},
                                                                 {"up", "--nodse", "2"},
                                                                 {"up", "--nodes", "many"},
                                                                 {"up", "--zookeepers", "2"},
                                                                 {"up", "--nodes", "0"},
                                                                 {"up", "--prefix", "a/b"},
                                                                 {"up", "bender0"},
                                                                 {"up", "--set", "role"},
                                                                 {"up", "--timeout", "5"},
                                                                 {"kill"},
                                                                 {"kill", ""},
                                                                 {"kill", "bender0", "bender1"}})
    CHECK_MESSAGE(sh.run(wrong).exit_status == 2, wrong.back());
  CHECK(sh.run({"frobnicate"})
            .err.starts_with(
                "flock-cluster: no such command: frobnicate; there is up, down, restart, kill, pause, resume;"));
  CHECK(sh.run({"up", "--zookeepers", "2"}).err.starts_with("flock-cluster: --zookeepers is one of 1|3, not 2;"));
  CHECK(sh.run({"down"}).exit_status == 0);
  CHECK(sh.run({"up", "--help"}).out.starts_with("flock-cluster - "));
  CHECK_FALSE(fs::exists(sh.dir));
}
