// The program as scripts use it: two clusters at once, and nothing left of them.

#include "tests/support/polling.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tools/cluster/child.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using flock::testing::child;
using flock::testing::contents;
using flock::testing::eventually;
using flock::testing::temporary_folder;

namespace {

struct cluster {
  temporary_folder folder;
  std::string dir() const { return (folder.path() / "c").string(); }
  std::string output() const { return contents(folder.path() / "out"); }

  child start(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "flock-cluster");
    arguments.insert(arguments.end(), {"--dir", dir()});
    auto started = child::start(
        {.command = arguments, .log = (folder.path() / "err").string(), .output = (folder.path() / "out").string()});
    REQUIRE_MESSAGE(started.has_value(), (started ? "" : started.error().what));
    return *std::move(started);
  }
  int run(std::vector<std::string> arguments) const { return start(std::move(arguments)).wait(90s).value_or(-1); }

  /// Of all processes that it recorded.
  std::vector<pid_t> pids() const {
    std::vector<pid_t> out;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(dir())) {
      const auto name = entry.path().filename();
      if (name != "pid" && name != "flockd.pid") continue;
      pid_t pid = 0;
      std::istringstream(contents(entry.path())) >> pid;
      REQUIRE(pid > 0);
      out.push_back(pid);
    }
    return out;
  }
};

bool any_alive(const std::vector<pid_t>& pids) {
  for (const auto pid : pids)
    if (::kill(pid, 0) == 0) return true;
  return false;
}

}  // namespace

TEST_CASE("two clusters in two folders do not meet, and down ends exactly what up started") {
  const cluster one, two;
  auto first = one.start({"up", "--nodes", "2"});
  auto second = two.start({"up", "--nodes", "2", "--tls", "--prefix", "fry"});
  REQUIRE(first.wait(90s) == 0);
  REQUIRE(second.wait(90s) == 0);
  const auto of_one = one.pids(), of_two = two.pids();
  CHECK(of_one.size() == 3);
  CHECK(of_two.size() == 3);
  CHECK(one.output().find("bender1") != std::string::npos);
  CHECK(one.output().find("fry") == std::string::npos);
  CHECK(contents(one.dir() + "/env").find("FLOCK_SOCKET") != std::string::npos);

  CHECK(one.run({"down"}) == 0);

  CHECK(eventually([&] { return !any_alive(of_one); }));
  for (const auto pid : of_two) CHECK(::kill(pid, 0) == 0);
  CHECK(two.run({"down"}) == 0);
  CHECK(eventually([&] { return !any_alive(of_two); }));
}

TEST_CASE("down where nothing runs is well, and what flock-cluster does not know is a usage error") {
  const cluster none;
  CHECK(none.run({"down"}) == 0);
  CHECK(none.run({"sideways"}) == 2);
  CHECK(none.run({"up", "--nodes", "many"}) == 2);
  CHECK(none.run({"up", "--frobnicate"}) == 2);
}
