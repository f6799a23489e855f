#include "node/control/control_server.hpp"
#include "tests/support/scripted_api.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tools/cluster/child.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

using flock::milliseconds;
using flock::value;

namespace {

struct fixture {
  flock::testing::temporary_folder folder;
  std::string socket = folder.path() / "flockd.sock";
  flock::testing::scripted_api backend{flock::system_clock()};
  std::unique_ptr<flock::control_server> server;
  std::string out = folder.path() / "out";
  std::string err = folder.path() / "err";

  void start() {
    auto started = flock::control_server::start({.socket = socket}, backend.api);
    REQUIRE(started);
    server = *std::move(started);
  }

  flock::testing::child begin(const std::vector<std::string>& words) const {
    std::vector<std::string> command = {"flockctl"};
    command.insert(command.end(), words.begin(), words.end());
    auto child = flock::testing::child::start(
        {.command = command, .environment = {{"FLOCK_SOCKET", socket}}, .log = err, .output = out});
    REQUIRE(child);
    return *std::move(child);
  }
  int run(const std::vector<std::string>& words) const { return begin(words).wait(milliseconds(10'000)).value_or(-1); }

  static std::string read(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }
};

}  // namespace

TEST_CASE_FIXTURE(fixture, "flockctl finds the socket, keeps data and talk apart and ends as it should") {
  CHECK(run({"status"}) == 6);
  CHECK(read(out).empty());
  CHECK(read(err).find(socket + ": No such file or directory") != std::string::npos);

  backend.reply = value(value::map{{"id", "bender0"}});
  start();
  CHECK(run({"status"}) == 0);
  CHECK(read(out) == "{\"id\":\"bender0\"}\n");
  CHECK(run({"frobnicate"}) == 2);
}

TEST_CASE_FIXTURE(fixture, "flockctl says so if it cannot write what was asked for") {
  start();
  out = "/dev/full";

  CHECK(run({"status"}) == 1);

  CHECK(read(err) == "flockctl: cannot write to stdout\n");
}

TEST_CASE_FIXTURE(fixture, "flockctl prints each event that it follows at once") {
  start();
  auto following = begin({"events", "--follow"});
  backend.add_event("joined");

  const auto until = flock::system_clock().now() + milliseconds(10'000);
  while (read(out).find("\"joined\"") == std::string::npos && flock::system_clock().now() < until)
    std::this_thread::sleep_for(milliseconds(5));

  CHECK(read(out).find("\"joined\"") != std::string::npos);
  following.signal(SIGTERM);
  CHECK(following.wait(milliseconds(10'000)) == 128 + SIGTERM);
}
