#include "flock/testing/local_cluster.hpp"

#include "tests/support/polling.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tools/cluster/child.hpp"
#include "tools/cluster/cluster_folder.hpp"
#include "tools/cluster/files.hpp"
#include "tools/cluster/recorded_process.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <filesystem>
#include <string>

using namespace flock::testing;
using namespace std::chrono_literals;
using flock::error_code;

namespace {

namespace fs = std::filesystem;

constexpr flock::milliseconds patience{20'000};

/// A folder whose flockd is another program.
struct programs_folder {
  explicit programs_folder(const char* flockd) { fs::create_symlink(flockd, folder.path() / "flockd"); }
  temporary_folder folder;
};

}  // namespace

TEST_CASE("a cluster whose nodes end at once says which one, and leaves nothing behind that runs") {
  programs_folder programs("/bin/false");
  temporary_folder folder;

  auto cluster =
      local_cluster::start({.folder = folder.path().string(), .nodes = 1, .programs = programs.folder.path().string()});

  REQUIRE_FALSE(cluster);
  CHECK(cluster.error().code == error_code::down);
  CHECK(cluster.error().what.starts_with("bender0 ended with status 1"));
  CHECK_FALSE(fs::exists(folder.path() / "processes"));
  CHECK_FALSE(fs::exists(folder.path() / "zookeeper" / "1" / "pid"));
  CHECK(fs::exists(folder.path() / "zookeeper" / "1" / "log"));
}

TEST_CASE("a cluster without a flockd says so") {
  temporary_folder nothing;

  auto cluster = local_cluster::start({.programs = nothing.path().string()});

  REQUIRE_FALSE(cluster);
  CHECK(cluster.error().code == error_code::io);
  CHECK(cluster.error().what.find("flockd") != std::string::npos);
}

TEST_CASE("a cluster that nobody waits for any more ends") {
  temporary_folder folder;

  auto cluster = local_cluster::start({.folder = folder.path().string(), .cancelled = [] { return true; }});

  REQUIRE_FALSE(cluster);
  CHECK(cluster.error().code == error_code::shutting_down);
}

TEST_CASE("a cluster that cannot be is refused before anything starts") {
  temporary_folder folder;
  const auto path = folder.path().string();

  CHECK(local_cluster::start({.folder = path, .nodes = 0}).error().code == error_code::bad_argument);
  CHECK(local_cluster::start({.folder = path, .zookeepers = 2}).error().code == error_code::bad_argument);
  CHECK(local_cluster::start({.folder = path, .prefix = "b/"}).error().code == error_code::bad_argument);
  CHECK(local_cluster::start({.folder = path + "/" + std::string(100, 'x')}).error().code == error_code::bad_argument);
  CHECK(fs::is_empty(path));
}

TEST_CASE("a folder is taken while a cluster runs in it, and until what is left of one is cleared") {
  temporary_folder temporary;
  cluster_folder folder(temporary.path().string());
  REQUIRE(folder.claim());
  auto sleeper = child::start({.command = {"sleep", "1000"}});
  REQUIRE(sleeper);
  fs::create_directory(folder.node("bender0"));
  REQUIRE(folder.record(*recorded_process::of("bender0", sleeper->pid())));

  auto while_it_runs = local_cluster::start({.folder = folder.path()});
  CHECK(while_it_runs.error().code == error_code::conflict);
  CHECK(while_it_runs.error().what.find("a cluster runs in") != std::string::npos);
  CHECK(sleeper->is_alive());
  sleeper->kill();
  auto afterwards = local_cluster::start({.folder = folder.path()});
  CHECK(afterwards.error().what.find("what is left of a cluster") != std::string::npos);
  folder.clear(*folder.recorded());

  CHECK(folder.claim());
}

TEST_CASE("processes end together, paused ones and those that do not want to as well") {
  auto willing = child::start({.command = {"sleep", "1000"}});
  auto paused = child::start({.command = {"sleep", "1000"}});
  temporary_folder folder;
  const auto log = (folder.path() / "log").string();
  auto stubborn = child::start({.command = {"sh", "-c", "trap '' TERM; echo ready; sleep 1000"}, .log = log});
  REQUIRE((willing && paused && stubborn));
  REQUIRE(eventually([&] { return !contents(log).empty(); }));
  paused->signal(SIGSTOP);
  std::vector<recorded_process> all;
  for (auto* each : {&*willing, &*paused, &*stubborn}) all.push_back(*recorded_process::of("one", each->pid()));

  CHECK(end_all(all, 100ms));

  for (const auto& p : all) CHECK_FALSE(p.is_running());
  CHECK(willing->wait(patience) == 128 + SIGTERM);
  CHECK(paused->wait(patience) == 128 + SIGTERM);
  CHECK(stubborn->wait(patience) == 128 + SIGKILL);
  CHECK(end_all(all, 100ms));
}
