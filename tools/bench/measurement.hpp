#pragma once

#include <flock/error.hpp>
#include <flock/value.hpp>

#include <functional>
#include <string>
#include <vector>

namespace flock::bench {

/// What the machine itself takes for the like, measured in the same run, turn by turn with the measurement.
struct floor {
  std::string what;             ///< for people
  std::vector<double> repeats;  ///< in the measurement's unit, as many as it has
};

/// One number that a workload measures, once in each repeat.
///
/// JSON form: {"workload","measure","unit","median","min","max","repeats","parameters","floors"}, and a list of
/// {"what","median","min","max","ratio"} as floors, whose ratio is again {"median","min","max"}: that of the
/// measurement to the floor, repeat by repeat.
struct measurement {
  std::string workload;
  std::string measure;  ///< "p99"
  std::string unit;     ///< one of units()
  value::map parameters;
  std::vector<double> repeats;
  std::vector<floor> floors;

  value to_value() const;
};

using report = std::function<void(const measurement&)>;

/// us, ms, s: time. 1/s: how many in a second. KiB, bytes, count: how much. %: of one CPU. exponent: see
/// growth_exponent().
const std::vector<std::string>& units();

/// Whether this is the JSON form of a measurement.
/// Errors: bad_argument (names the member)
result<void> check_form(const value& line);

}  // namespace flock::bench
