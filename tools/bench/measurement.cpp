#include "tools/bench/measurement.hpp"

#include "tools/bench/statistics.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstddef>

namespace flock::bench {

namespace {

value::map members(const spread& s) {
  return {{"median", rounded(s.median)}, {"min", rounded(s.min)}, {"max", rounded(s.max)}};
}

value to_value(const floor& f, const std::vector<double>& measured) {
  assert(f.repeats.size() == measured.size());
  std::vector<double> ratios;
  for (std::size_t i = 0; i < measured.size(); ++i) ratios.push_back(measured[i] / f.repeats[i]);
  auto out = members(spread_of(f.repeats));
  out.emplace("what", f.what);
  out.emplace("ratio", members(spread_of(ratios)));
  return out;
}

error wrong(const std::string& what) { return {error_code::bad_argument, what}; }

result<void> check_text(const value& of, const std::string& member) {
  const auto* text = of[member].as_text();
  return text && !text->empty() ? result<void>() : wrong(member + " is no text: " + to_json(of[member]));
}

result<void> check_spread(const value& of, const std::string& where) {
  std::vector<double> numbers;
  for (const char* name : {"min", "median", "max"}) {
    const auto* number = of[name].as_real();
    if (!number || !std::isfinite(*number)) return wrong(where + name + " is no number: " + to_json(of[name]));
    numbers.push_back(*number);
  }
  return std::is_sorted(numbers.begin(), numbers.end()) ? result<void>()
                                                        : wrong(where + "min, median and max are not in order");
}

result<void> check_floors(const value& floors) {
  const auto* list = floors.as_list();
  if (!list) return wrong("floors is no list: " + to_json(floors));
  for (const auto& each : *list) {
    if (auto good = check_text(each, "what"); !good) return good.error().within("floors");
    if (auto good = check_spread(each, "floors: "); !good) return good;
    if (auto good = check_spread(each["ratio"], "floors: ratio: "); !good) return good;
  }
  return {};
}

}  // namespace

value measurement::to_value() const {
  auto out = members(spread_of(repeats));
  value::list all;
  for (const auto& f : floors) all.emplace_back(bench::to_value(f, repeats));
  out.emplace("workload", workload);
  out.emplace("measure", measure);
  out.emplace("unit", unit);
  out.emplace("repeats", repeats.size());
  out.emplace("parameters", parameters);
  out.emplace("floors", std::move(all));
  return out;
}

const std::vector<std::string>& units() {
  static const std::vector<std::string> all{"us", "ms", "s", "1/s", "KiB", "bytes", "count", "%", "exponent"};
  return all;
}

result<void> check_form(const value& line) {
  if (!line.as_map()) return wrong("no object: " + to_json(line));
  for (const char* member : {"workload", "measure", "unit"})
    if (auto good = check_text(line, member); !good) return good;
  const auto& unit = *line["unit"].as_text();
  if (std::find(units().begin(), units().end(), unit) == units().end()) return wrong("unknown unit: " + unit);
  if (auto good = check_spread(line, ""); !good) return good;
  const auto* repeats = line["repeats"].as_int();
  if (!repeats || *repeats < 1) return wrong("repeats is no number from 1: " + to_json(line["repeats"]));
  if (!line["parameters"].as_map()) return wrong("parameters is no object: " + to_json(line["parameters"]));
  return check_floors(line["floors"]);
}

}  // namespace flock::bench
