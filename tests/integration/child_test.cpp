#include "tools/cluster/child.hpp"

#include "tests/support/polling.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tools/cluster/files.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <unistd.h>
#include <utility>

namespace {

using flock::milliseconds;
using flock::testing::child;
using flock::testing::eventually;

constexpr milliseconds soon{10'000};

child run(std::string script, bool outlives_us = false) {
  auto started = child::start({{"sh", "-c", std::move(script)}, {{"GREETING", "hello"}}, "", outlives_us});
  REQUIRE(started.has_value());
  return std::move(*started);
}

bool ends(pid_t pid) {
  return eventually([=] { return ::kill(pid, 0) != 0; });
}

}  // namespace

TEST_CASE("a child's end is told by its exit status or its signal") {
  CHECK(run("exit 3").wait(soon) == 3);
  CHECK(run("kill -9 $$").wait(soon) == 128 + SIGKILL);
}

TEST_CASE("a child gets its environment and writes to its log") {
  auto log = std::filesystem::temp_directory_path() / ("flock_child_test_" + std::to_string(::getpid()));

  auto started = child::start({{"sh", "-c", "echo $GREETING; echo world >&2"}, {{"GREETING", "hello"}}, log.string()});
  REQUIRE(started.has_value());
  CHECK(started->wait(soon) == 0);

  std::ifstream file(log);
  CHECK(std::string(std::istreambuf_iterator<char>(file), {}) == "hello\nworld\n");
  std::filesystem::remove(log);
}

TEST_CASE("what a child writes to its two outputs is kept apart on request") {
  flock::testing::temporary_folder folder;
  const auto out = (folder.path() / "out").string(), err = (folder.path() / "err").string();

  auto started = child::start({.command = {"sh", "-c", "echo data; echo talk >&2"}, .log = err, .output = out});
  REQUIRE(started.has_value());
  CHECK(started->wait(soon) == 0);

  CHECK(flock::testing::contents(out) == "data\n");
  CHECK(flock::testing::contents(err) == "talk\n");
}

TEST_CASE("a program that does not exist is an error that names it") {
  auto started = child::start({{"/no/such/program"}, {}, ""});

  REQUIRE_FALSE(started.has_value());
  CHECK(started.error().code == flock::error_code::io);
  CHECK(started.error().what.find("/no/such/program") != std::string::npos);
}

TEST_CASE("a child that is asked to stop ends, paused or not, and is killed if it does not") {
  auto paused = run("exec sleep 60");
  paused.signal(SIGSTOP);
  CHECK(paused.is_alive());
  CHECK(paused.stop(soon) == 128 + SIGTERM);
  CHECK_FALSE(paused.is_alive());

  const flock::testing::temporary_folder folder;
  const auto said = (folder.path() / "said").string();
  auto deaf =
      child::start({.command = {"sh", "-c", "trap '' TERM; echo deaf; while true; do sleep 0.1; done"}, .log = said});
  REQUIRE(deaf.has_value());
  REQUIRE(eventually([&] { return flock::testing::contents(said) == "deaf\n"; }));
  CHECK(deaf->stop(milliseconds(50)) == 128 + SIGKILL);
}

TEST_CASE("a child ends with its object, and with the thread that started it") {
  pid_t scoped = 0;
  {
    auto process = run("exec sleep 60");
    scoped = process.pid();
  }
  CHECK(ends(scoped));

  std::optional<child> forgotten;
  std::thread([&] { forgotten = run("exec sleep 60"); }).join();
  CHECK(forgotten->wait(soon) == 128 + SIGKILL);
}

TEST_CASE("a child may outlive its object and its thread") {
  pid_t pid = 0;
  std::thread([&] { pid = run("exec sleep 60", true).release(); }).join();

  CHECK(::kill(pid, 0) == 0);
  ::kill(pid, SIGKILL);
}

TEST_CASE("free ports can be listened on") { CHECK(flock::testing::free_port() > 0); }
