#include "tools/bench/earlier_run.hpp"

#include "tools/bench/measurement.hpp"
#include "tools/bench/statistics.hpp"

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <sstream>
#include <utility>

namespace flock::bench {

namespace {

std::string what_was_measured(const value& line) {
  return to_json(value::list{line["workload"], line["measure"], line["unit"], line["parameters"]});
}

double median(const value& of) { return *of["median"].as_real(); }

value::list compared_floors(const value& now, const value& then) {
  value::list all;
  for (const auto& floor : *now.as_list())
    for (const auto& before : *then.as_list())
      if (floor["what"] == before["what"])
        all.emplace_back(
            value::map{{"what", floor["what"]}, {"ratio", rounded(median(floor["ratio"]) / median(before["ratio"]))}});
  return all;
}

}  // namespace

result<earlier_run> earlier_run::parse(std::string_view lines) {
  earlier_run out;
  std::istringstream text{std::string(lines)};
  std::size_t number = 0;
  for (std::string line; std::getline(text, line);) {
    ++number;
    if (line.empty()) continue;
    auto read = from_json(line);
    if (!read) return read.error().within("line " + std::to_string(number));
    if (auto good = check_form(*read); !good) return good.error().within("line " + std::to_string(number));
    out.lines_.insert_or_assign(what_was_measured(*read), *std::move(read));
  }
  return out;
}

result<earlier_run> earlier_run::read(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf())) return error{error_code::io, path + ": " + std::strerror(errno)};
  auto out = parse(text.str());
  return out ? std::move(out) : out.error().within(path);
}

value earlier_run::compared(value line) const {
  const auto at = lines_.find(what_was_measured(line));
  if (at == lines_.end()) return line;
  const auto& then = at->second;
  value::map before{{"median", then["median"]},
                    {"ratio", rounded(median(line) / median(then))},
                    {"floors", compared_floors(line["floors"], then["floors"])}};
  line.as_map()->insert_or_assign("before", std::move(before));
  return line;
}

}  // namespace flock::bench
