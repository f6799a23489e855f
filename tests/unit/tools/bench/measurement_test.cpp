#include "tools/bench/measurement.hpp"

#include <doctest/doctest.h>

#include <string>

using flock::from_json;
using flock::value;
using flock::bench::check_form;
using flock::bench::measurement;

namespace {

measurement call_p50() { return {"call", "p50", "us", {{"bytes", 64}}, {30, 10, 20}, {{"echo", {10, 10, 10}}}}; }

std::string what_is_wrong(value line) {
  const auto good = check_form(line);
  return good ? "" : good.error().what;
}

value without(const std::string& member) {
  auto line = call_p50().to_value();
  line.as_map()->erase(member);
  return line;
}

}  // namespace

TEST_CASE("a measurement is one line: its repeats summed up, and its ratio to the floor") {
  const auto expected = *from_json(R"({
    "workload": "call", "measure": "p50", "unit": "us", "repeats": 3, "parameters": {"bytes": 64},
    "median": 20.0, "min": 10.0, "max": 30.0,
    "floors": [{"what": "echo", "median": 10.0, "min": 10.0, "max": 10.0,
                "ratio": {"median": 2.0, "min": 1.0, "max": 3.0}}]})");

  CHECK(call_p50().to_value() == expected);
}

TEST_CASE("the ratio to the floor is taken in each repeat, so that a slow minute does not count twice") {
  const measurement slow_at_the_end{"call", "p50", "us", {}, {10, 10, 100}, {{"echo", {5, 5, 50}}}};

  const auto ratio = slow_at_the_end.to_value()["floors"].as_list()->front()["ratio"];

  CHECK(ratio == *from_json(R"({"median": 2.0, "min": 2.0, "max": 2.0})"));
}

TEST_CASE("the form of a line is checked, down to its floors") {
  CHECK(what_is_wrong(call_p50().to_value()) == "");
  CHECK(what_is_wrong(*from_json(to_json(call_p50().to_value()))) == "");
  CHECK(what_is_wrong(value(3)) == "no object: 3");
  for (const char* member :
       {"workload", "measure", "unit", "repeats", "parameters", "floors", "median", "min", "max"}) {
    CAPTURE(member);
    CHECK(what_is_wrong(without(member)).starts_with(member));
  }
}

TEST_CASE("a line with an unknown unit, numbers out of order, or a broken floor is refused") {
  auto unit = call_p50();
  unit.unit = "parsec";
  auto order = call_p50().to_value();
  order.as_map()->at("min") = 25.0;
  auto broken = call_p50().to_value();
  broken.as_map()->at("floors") = value::list{value::map{{"what", "echo"}, {"median", 1.0}}};

  CHECK(what_is_wrong(unit.to_value()) == "unknown unit: parsec");
  CHECK(what_is_wrong(order) == "min, median and max are not in order");
  CHECK(what_is_wrong(broken) == "floors: min is no number: null");
}
