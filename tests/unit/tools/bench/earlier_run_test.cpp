#include "tools/bench/earlier_run.hpp"

#include "tools/bench/measurement.hpp"

#include <doctest/doctest.h>

#include <string>

using flock::from_json;
using flock::bench::earlier_run;
using flock::bench::measurement;

namespace {

// Calls that take `us`, on a machine where an echo takes `echo`.
measurement calls(int bytes, double us, double echo) {
  return {"call", "p50", "us", {{"bytes", bytes}}, {us}, {{"echo", {echo}}}};
}

std::string line(const measurement& m) { return to_json(m.to_value()) + "\n"; }

}  // namespace

TEST_CASE("a number is compared with that of an earlier run: by itself, and beside the floor") {
  const auto before = *earlier_run::parse(line(calls(64, 40, 20)) + line(calls(1024, 80, 20)));

  const auto now = before.compared(calls(64, 30, 10).to_value());

  CHECK(now["before"] == *from_json(R"({"median": 40.0, "ratio": 0.75, "floors": [{"what": "echo", "ratio": 1.5}]})"));
  CHECK(now["median"] == flock::value(30.0));
}

TEST_CASE("what the earlier run did not measure, or with other parameters, is compared with nothing") {
  const auto before = *earlier_run::parse(line(calls(64, 40, 20)));
  const auto other = calls(65, 30, 10).to_value();

  CHECK(before.compared(other) == other);
}

TEST_CASE("an earlier run that cannot be read is refused, with the line") {
  const auto broken = earlier_run::parse(line(calls(64, 40, 20)) + "\n{\"workload\":");
  const auto incomplete = earlier_run::parse("{\"workload\": \"call\"}");

  REQUIRE(!broken);
  CHECK(broken.error().what.starts_with("line 3: "));
  REQUIRE(!incomplete);
  CHECK(incomplete.error().what == "line 1: measure is no text: null");
  CHECK(earlier_run::read("/nowhere").error().what == "/nowhere: No such file or directory");
}
