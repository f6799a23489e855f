#pragma once

#include "tools/bench/measurement.hpp"
#include <flock/error.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flock::bench {

/// How a workload is run.
struct settings {
  int repeats = 5;
  bool plain = false;
  std::string folder;  ///< for all that a workload needs; it goes with the run
  std::map<std::string, std::vector<std::int64_t>, std::less<>> numbers;  ///< of the workload's parameters

  const std::vector<std::int64_t>& list(std::string_view parameter) const { return numbers.find(parameter)->second; }
  std::int64_t number(std::string_view parameter) const { return list(parameter).front(); }
  /// What every line says of how it was run.
  value::map common() const;
};

/// A number, or numbers with commas between them, that a workload can be told.
struct parameter {
  std::string_view name;
  std::string_view usual;
  std::string_view does;
};

struct workload {
  std::string_view name;
  std::string_view does;
  std::vector<parameter> parameters;
  /// Reports each measurement when its repeats are done. Errors: io, not_found (something is not installed), timeout
  result<void> (*run)(const settings& with, const report& to);
};

/// What was asked for on the command line.
struct request {
  enum class kind { run, help, version };
  kind what = kind::run;
  std::vector<const workload*> workloads;
  std::map<std::string_view, settings> with;  ///< by workload
  std::optional<int> cpu;                     ///< for all processes
  std::string folder;                         ///< where temporary files go
  std::string compare;                        ///< the file of an earlier run
};

/// Errors: bad_argument (names the word that is wrong)
result<request> parse_request(const std::vector<std::string>& words, const std::vector<workload>& known);

/// What --help prints.
std::string help(const std::vector<workload>& known);

}  // namespace flock::bench
