#include "tests/support/temporary_folder.hpp"
#include "tools/cluster/child.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

using flock::milliseconds;
using flock::testing::child;

TEST_CASE("a program that cannot write what it was asked for says so and fails") {
  const flock::testing::temporary_folder folder;
  const std::string err = folder.path() / "err";
  for (const std::string program : {"flockd", "flockctl", "flock-cluster", "flock-bench", "flock-sim"}) {
    CAPTURE(program);
    auto started = child::start({.command = {program, "--help"}, .log = err, .output = "/dev/full"});
    REQUIRE(started);

    CHECK(started->wait(milliseconds(10'000)) == 1);

    std::ifstream said(err);
    CHECK(std::string(std::istreambuf_iterator<char>(said), {}) == program + ": cannot write to stdout\n");
    std::filesystem::remove(err);
  }
}
