#include "actors/resource/command.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <string>

using namespace flock;

TEST_CASE("a command that does not listen to SIGTERM is killed, and so is what it started") {
  const auto began = system_clock().now();

  const auto ended = run_command({.line = "trap '' TERM; sh -c 'while :; do sleep 1; done' & while :; do sleep 1; done",
                                  .timeout = milliseconds(100)},
                                 {});

  REQUIRE(ended);
  CHECK(ended->timed_out);
  CHECK(ended->exit_status == 137);
  CHECK(system_clock().now() - began < std::chrono::seconds(20));
}

TEST_CASE("a process that left the group and keeps the output open holds nobody up") {
  const auto began = system_clock().now();

  const auto ended = run_command({.line = "setsid sleep 60 & echo $!; sleep 60", .timeout = milliseconds(100)}, {});

  REQUIRE(ended);
  CHECK(ended->timed_out);
  CHECK(system_clock().now() - began < std::chrono::seconds(20));
  CHECK(::kill(std::stoi(ended->output), SIGKILL) == 0);
}
