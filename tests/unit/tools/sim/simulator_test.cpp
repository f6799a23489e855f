#include "tools/sim/simulation.hpp"

#include <doctest/doctest.h>

#include <sstream>
#include <string>

using namespace flock::simulator;

namespace {

std::string trace_of(std::uint64_t seed, mode m) {
  std::ostringstream lines;
  simulate(seed, m, &lines);
  return lines.str();
}

void check(std::uint64_t seed, mode m) {
  CAPTURE(seed);
  const auto came = simulate(seed, m);
  CHECK_MESSAGE(!came.broken, (came.broken ? came.broken->invariant + ": " + came.broken->what : ""));
}

}  // namespace

TEST_CASE("the same seed does the same, line by line") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    CAPTURE(seed);
    const auto once = trace_of(seed, mode::liveness);
    CHECK(once.size() > 1000);
    CHECK(once == trace_of(seed, mode::liveness));
  }
}

TEST_CASE("other seeds do other things") { CHECK(trace_of(1, mode::safety) != trace_of(2, mode::safety)); }

TEST_CASE("who looks on changes nothing") {
  std::ostringstream lines;
  const auto watched = simulate(3, mode::liveness, &lines);
  const auto unwatched = simulate(3, mode::liveness);

  CHECK(watched.turns == unwatched.turns);
  CHECK(watched.counted.notifications == unwatched.counted.notifications);
}

TEST_CASE("seeds that once broke an invariant keep it") {
  // What they do changes with the simulator; each of these defects has a test of its own where it was mended, too.
  for (std::uint64_t seed : {1, 4, 17, 18, 25, 74, 90, 362, 513, 568, 729, 809, 1251, 1683, 1735, 2841}) {
    for (auto m : {mode::safety, mode::liveness}) check(seed, m);
  }
}

TEST_CASE("nodes that a cut kept apart while the registry came back see each other again") {
  // Each took the other for dead, and nobody dialled: the registry went on listing both.
  for (std::uint64_t seed : {500178, 707701, 716446}) check(seed, mode::liveness);
}

TEST_CASE("nothing overtakes what came too late, though a crash and a clock that is set back undo that it did") {
  check(103119, mode::liveness);
}

TEST_CASE("a node that ends before its actors are there has asked for what it found damaged") {
  for (std::uint64_t seed : {703051, 703765, 801048}) check(seed, mode::liveness);
}

TEST_CASE("a node whose session ended just before the registry went away is not called dead") {
  check(12001760, mode::safety);
}

TEST_CASE("faults have names") {
  for (auto f = fault{}; f <= last_fault; f = static_cast<fault>(static_cast<int>(f) + 1)) {
    CAPTURE(to_string(f));
    CHECK(fault_from(to_string(f)) == f);
  }
  CHECK_FALSE(fault_from("bad luck").has_value());
}
