#include "tools/bench/request.hpp"

#include "tools/cluster/command_line.hpp"

#include <boost/program_options.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <iomanip>
#include <set>
#include <sstream>

namespace flock::bench {

namespace {

namespace po = boost::program_options;

error wrong(const std::string& what) { return {error_code::bad_argument, what}; }

constexpr std::string_view intro = R"(flock-bench - measures Flock on this machine

usage: flock-bench WORKLOAD... [option]...
       flock-bench all

Each workload starts processes of its own on the loopback, repeats what it
measures, and prints one JSON object a line: the median, the least and the
greatest of the repeats, the parameters, and beside them the floor, which is
what the machine itself takes for the like, measured in the same run. Compare
ratios to the floor, not times: they depend less on what else the machine does.

options:
  --repeats N      how often each thing is measured (default: 5)
  --plain          TCP between nodes, not mutual TLS
  --pin CPU        all processes on this CPU; otherwise the scheduler chooses
  --dir FOLDER     where temporary files go, journals among them: their disk is
                   what durability is measured on (default: /var/tmp)
  --compare FILE   beside each number the ratio to the one of an earlier run,
                   whose lines are in FILE
  --help           shows this
  --version        shows the version

workloads and their parameters:
)";

constexpr std::string_view outro = R"(
Needs, for all workloads but sim: ZooKeeper and Java (on Debian the packages
zookeeper and default-jre-headless), and flockd and flockctl for some.

exit status:
  0 done   1 a workload failed   2 usage
)";

std::string taken_apart(std::string_view text, std::size_t column, std::size_t indent) {
  constexpr std::size_t width = 79;
  std::istringstream words{std::string(text)};
  std::string out, word;
  while (words >> word) {
    if (column + 1 + word.size() > width) {
      out += "\n" + std::string(indent, ' ');
      column = indent;
    } else if (!out.empty()) {
      out += ' ';
      ++column;
    }
    out += word;
    column += word.size();
  }
  return out;
}

result<std::vector<std::int64_t>> numbers(const std::string& text) {
  std::vector<std::int64_t> all;
  std::istringstream parts(text + ",");
  for (std::string part; std::getline(parts, part, ',');) {
    std::int64_t number = 0;
    const auto* end = part.data() + part.size();
    const auto [stopped, failed] = std::from_chars(part.data(), end, number);
    if (failed != std::errc() || stopped != end || number < 1) return wrong("not a number from 1: \"" + part + "\"");
    all.push_back(number);
  }
  return all;
}

std::string names_of(const std::vector<workload>& known) {
  std::string names;
  for (const auto& w : known) names.append(w.name).append(", ");
  return names + "all";
}

result<std::vector<const workload*>> chosen(const std::vector<std::string>& names, const std::vector<workload>& known) {
  std::vector<const workload*> all;
  for (const auto& name : names) {
    const auto at = std::find_if(known.begin(), known.end(), [&](const workload& w) { return w.name == name; });
    if (at != known.end()) {
      all.push_back(&*at);
    } else if (name == "all") {
      for (const auto& each : known) all.push_back(&each);
    } else {
      return wrong("no workload is called " + name + "; there is " + names_of(known));
    }
  }
  if (all.empty()) return wrong("no workload; there is " + names_of(known));
  return all;
}

bool has(const workload& w, const std::string& name) {
  return std::any_of(w.parameters.begin(), w.parameters.end(), [&](const parameter& p) { return p.name == name; });
}

result<settings> for_workload(const workload& w, settings common, const std::map<std::string, std::string>& given) {
  for (const auto& p : w.parameters) {
    const auto at = given.find(std::string(p.name));
    auto read = numbers(at == given.end() ? std::string(p.usual) : at->second);
    if (!read) return read.error().within("--" + std::string(p.name));
    common.numbers.emplace(p.name, *std::move(read));
  }
  return common;
}

}  // namespace

value::map settings::common() const { return {{"transport", plain ? "plain" : "tls"}}; }

result<request> parse_request(const std::vector<std::string>& words, const std::vector<workload>& known) {
  std::vector<std::string> names;
  std::set<std::string> parameters;
  settings common;
  request out;
  int cpu = -1;
  po::options_description options;
  options.add_options()("workload", po::value(&names))("repeats", po::value(&common.repeats))(
      "plain", po::bool_switch(&common.plain))("pin", po::value(&cpu))(
      "dir", po::value(&out.folder)->default_value("/var/tmp"))("compare", po::value(&out.compare))("help,h", "")(
      "version", "");
  for (const auto& w : known)
    for (const auto& p : w.parameters) parameters.emplace(p.name);
  for (const auto& name : parameters) options.add_options()(name.c_str(), po::value<std::string>(), "");
  po::positional_options_description positional;
  positional.add("workload", -1);
  po::variables_map given;
  try {
    given = testing::understood(words, options, positional);
  } catch (const po::error& e) {
    return wrong(e.what());
  }
  if (given.contains("help")) out.what = request::kind::help;
  if (given.contains("version")) out.what = request::kind::version;
  if (out.what != request::kind::run) return out;

  if (common.repeats < 1) return wrong("--repeats: not a number from 1: " + std::to_string(common.repeats));
  if (given.contains("pin")) out.cpu = cpu;
  if (out.cpu && cpu < 0) return wrong("--pin: no CPU has the number " + std::to_string(cpu));
  auto which = chosen(names, known);
  if (!which) return which.error();
  out.workloads = *std::move(which);
  std::map<std::string, std::string> texts;
  for (const auto& name : parameters) {
    if (!given.contains(name)) continue;
    if (std::none_of(out.workloads.begin(), out.workloads.end(), [&](const auto* w) { return has(*w, name); }))
      return wrong("--" + name + " is no parameter of " + std::string(out.workloads.front()->name));
    texts.emplace(name, given[name].as<std::string>());
  }
  for (const auto* w : out.workloads) {
    auto with = for_workload(*w, common, texts);
    if (!with) return with.error();
    out.with.emplace(w->name, *std::move(with));
  }
  return out;
}

std::string help(const std::vector<workload>& known) {
  std::ostringstream out;
  out << intro;
  for (const auto& w : known) {
    out << "  " << std::left << std::setw(10) << w.name << ' ' << taken_apart(w.does, 13, 13) << '\n';
    for (const auto& p : w.parameters) {
      const auto name = "--" + std::string(p.name);
      out << "             " << std::setw(16) << name << ' '
          << taken_apart(std::string(p.does) + " (default: " + std::string(p.usual) + ")", 30, 30) << '\n';
    }
  }
  out << outro;
  return out.str();
}

}  // namespace flock::bench
