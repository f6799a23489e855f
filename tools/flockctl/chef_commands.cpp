#include "tools/flockctl/command.hpp"
#include "tools/flockctl/location_options.hpp"
#include "tools/flockctl/requested_runs.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>
#include <utility>

namespace flock::ctl {
namespace {

using namespace std::chrono_literals;

// A run takes what it takes, but no wait is endless.
constexpr milliseconds longest_run = 1h;

error wrong(std::string what) { return {error_code::bad_argument, std::move(what)}; }

/// Of a Chef run that failed, these say why.
std::string last_lines(std::string_view text) {
  constexpr int enough = 15;
  while (text.ends_with('\n')) text.remove_suffix(1);
  auto from = text.size();
  for (int line = 0; line < enough && from != std::string_view::npos && from > 0; ++line)
    from = text.rfind('\n', from - 1);
  return std::string(from == std::string_view::npos || from == 0 ? text : text.substr(from + 1));
}

/// How many of all at once: "3", or "25%", which is at least one.
result<std::size_t> read_batch(const std::optional<std::string>& text, std::size_t all) {
  if (!text) return all;
  const bool percent = text->ends_with('%');
  const auto digits = std::string_view(*text).substr(0, text->size() - (percent ? 1 : 0));
  std::size_t number = 0;
  const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (failed != std::errc() || end != digits.data() + digits.size() || number < 1 || (percent && number > 100))
    return wrong("--batch is a number of nodes, or a part of them as 25%, not " + *text);
  return percent ? std::max<std::size_t>(all * number / 100, 1) : number;
}

/// A code that all share, else what some of them came to.
exit_code exit_code_of(const std::vector<exit_code>& all) {
  const auto same = [&](exit_code c) { return c == all.front(); };
  if (all.empty() || std::all_of(all.begin(), all.end(), same)) return all.empty() ? exit_code::ok : all.front();
  const auto surely_failed = [](exit_code c) { return c != exit_code::ok && c != exit_code::timed_out; };
  return std::any_of(all.begin(), all.end(), surely_failed) ? exit_code::some_failed : exit_code::timed_out;
}

result<milliseconds> read_splay(const std::optional<std::string>& text) {
  if (!text) return 0ms;
  const auto splay = parse_duration(*text);
  if (!splay) return splay.error().within("--splay");
  return *splay;
}

result<std::vector<requested_runs::node>> nodes_of(const invocation& i) {
  auto where = location_parameters(i.words);
  if (!where) return where.error();
  if (where->empty()) return wrong("which nodes? Give --node, --role, --recipe, --environment or --query");
  where->emplace_back("timeout", "5s");
  const auto found = i.flockd.list(target({"v1", "nodes"}, *where), "nodes", i.time.now() + 6s);
  if (!found) return found.error();
  std::vector<requested_runs::node> nodes;
  for (const auto& node : *found) nodes.push_back({cell(node["id"]), cell(node["incarnation"])});
  return nodes;
}

std::vector<column> columns() { return {{"NODE", "node"}, {"RUN", "number"}, {"STATE", "state"}, {"ERROR", "error"}}; }

/// Below the table, why runs failed.
void quote(console& out, const value::list& failed) {
  for (const auto& run : failed)
    out.say("the end of what " + cell(run["node"]) + " said:\n" + last_lines(*run["output"].as_text()));
}

/// As wide as any of them will be.
value::list samples_of(const std::vector<requested_runs::node>& nodes) {
  value::list samples;
  for (const auto& n : nodes)
    samples.emplace_back(value::map{{"node", n.id}, {"number", 1000}, {"state", "succeeded"}});
  return samples;
}

}  // namespace

result<exit_code> run_chef(const invocation& i) {
  const auto splay = read_splay(i.words.one("splay"));
  if (!splay) return splay.error();
  const auto nodes = nodes_of(i);
  if (!nodes) return nodes.error();
  const auto batch = read_batch(i.words.one("batch"), nodes->size());
  if (!batch) return batch.error();
  // One batch begins when the one before has ended well.
  const bool waits = i.words.one("wait") == "completed" || i.words.has("batch");
  const requested_runs::plan plan{*splay, waits, i.time.now() + i.patience(longest_run)};
  console::growing_rows rows(i.out, columns(), samples_of(*nodes));
  value::list failed;
  const auto tell = [&](const value& line) {
    rows.add(line);
    if (line["state"] == value("failed") && line["output"].as_text()) failed.push_back(line);
  };
  const auto ends = [&](exit_code how) {
    if (!i.out.json()) quote(i.out, failed);
    return how;
  };

  std::vector<exit_code> codes;
  for (std::size_t at = 0; at < nodes->size(); at += *batch) {
    const auto end = std::min(at + *batch, nodes->size());
    const std::vector<requested_runs::node> these(nodes->begin() + static_cast<std::ptrdiff_t>(at),
                                                  nodes->begin() + static_cast<std::ptrdiff_t>(end));
    for (const auto code : requested_runs(i, these, plan, tell).finish()) codes.push_back(code);
    const auto so_far = exit_code_of(codes);
    if (so_far != exit_code::ok && end < nodes->size() && waits) {
      i.out.say("stopped; not asked: " + std::to_string(nodes->size() - end) + " of " + std::to_string(nodes->size()) +
                " nodes");
      return ends(so_far);
    }
  }
  return ends(exit_code_of(codes));
}

}  // namespace flock::ctl
