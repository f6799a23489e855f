#include "tools/flockctl/command.hpp"
#include "tools/flockctl/location_options.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>
#include <random>
#include <utility>

namespace flock::ctl {
namespace {

using namespace std::chrono_literals;

// A run takes what it takes, but no wait is endless.
constexpr milliseconds longest_run = 1h;
// How long one question for the end of a run stays open: the API's own limit is an hour.
constexpr milliseconds one_look = 1min;

constexpr std::string_view api_actor = "flock_api";

error wrong(std::string what) { return {error_code::bad_argument, std::move(what)}; }

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

/// When each of them starts, in order: at random within the splay, so that a server does not see all of them at once.
std::vector<milliseconds> spread(std::size_t count, milliseconds splay) {
  std::vector<milliseconds> starts(count, 0ms);
  if (splay <= 0ms) return starts;
  std::mt19937_64 random{std::random_device()()};
  std::uniform_int_distribution<milliseconds::rep> within(0, splay.count() - 1);
  for (auto& start : starts) start = milliseconds(within(random));
  std::sort(starts.begin(), starts.end());
  return starts;
}

/// A run that a node was asked for.
struct requested_run {
  std::string node;
  std::optional<std::int64_t> number;
  value shown = value::map{};  // the line for people and programs
  exit_code how = exit_code::ok;

  void fails(const error& why) {
    shown.as_map()->insert_or_assign("state", "failed");
    shown.as_map()->insert_or_assign("error", why.what);
    how = exit_code_of(why.code);
  }
};

result<value> call(const invocation& i, const std::string& node, const std::string& method, value::list arguments,
                   milliseconds patience) {
  const auto path =
      target({"v1", "call", node, std::string(api_actor), method}, {{"timeout", format_duration(patience)}});
  auto answer = i.flockd.post(path, std::move(arguments), i.time.now() + patience + 1s);
  if (!answer) return answer.error();
  return (*answer)["result"];
}

requested_run ask_for_run(const invocation& i, const std::string& node) {
  requested_run run{node};
  run.shown = value::map{{"node", node}, {"number", value()}, {"state", "asked"}, {"error", value()}};
  const auto number = call(i, node, "run_chef", {}, 5s);
  if (!number) {
    run.fails(number.error());
  } else if (const auto* count = number->as_int()) {
    run.number = *count;
    run.shown.as_map()->insert_or_assign("number", *count);
  } else {
    run.fails({error_code::protocol, "the node answered " + to_json(*number)});
  }
  return run;
}

/// Until it has ended, or the time is up.
void await_end(const invocation& i, requested_run& run, time_point until) {
  const console::waiting shown(i.out, "waiting for the run of " + run.node);
  while (i.time.now() < until) {
    const auto left = std::chrono::ceil<milliseconds>(until - i.time.now());
    const auto ended = call(i, run.node, "ended", {*run.number}, std::min(left, one_look));
    if (ended) {
      const bool good = (*ended)["success"] == value(true);
      auto& line = *run.shown.as_map();
      line.insert_or_assign("state", good ? "succeeded" : "failed");
      line.insert_or_assign("error", (*ended)["error"]);
      line.insert_or_assign("output", (*ended)["output"]);
      if (!good) run.how = exit_code::some_failed;
      return;
    }
    // It goes on; or the node does not answer at present, and its run with it.
    const auto code = ended.error().code;
    if (code != error_code::timeout && code != error_code::maybe_done && code != error_code::unreachable)
      return run.fails(ended.error());
    if (code == error_code::unreachable) i.sleep(1s);
  }
  run.shown.as_map()->insert_or_assign("state", "unknown");
  run.shown.as_map()->insert_or_assign("error", "it had not ended in time");
  run.how = exit_code::timed_out;
}

std::vector<requested_run> run_batch(const invocation& i, const std::vector<std::string>& nodes, milliseconds splay,
                                     bool waits, time_point until) {
  std::vector<requested_run> runs;
  const auto starts = spread(nodes.size(), splay);
  milliseconds passed = 0ms;
  for (std::size_t n = 0; n < nodes.size(); ++n) {
    if (starts[n] > passed) i.sleep(starts[n] - passed);
    passed = starts[n];
    runs.push_back(ask_for_run(i, nodes[n]));
  }
  for (auto& run : runs)
    if (waits && run.number) await_end(i, run, until);
  return runs;
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

result<std::vector<std::string>> nodes_of(const invocation& i) {
  auto where = location_parameters(i.words);
  if (!where) return where.error();
  if (where->empty()) return wrong("which nodes? Give --node, --role, --recipe, --environment or --query");
  where->emplace_back("timeout", "5s");
  const auto found = i.flockd.list(target({"v1", "nodes"}, *where), "nodes", i.time.now() + 6s);
  if (!found) return found.error();
  std::vector<std::string> names;
  for (const auto& node : *found) names.push_back(cell(node["id"]));
  return names;
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
  const auto until = i.time.now() + i.patience(longest_run);

  std::vector<exit_code> codes;
  for (std::size_t at = 0; at < nodes->size(); at += *batch) {
    const auto end = std::min(at + *batch, nodes->size());
    const std::vector<std::string> these(nodes->begin() + static_cast<std::ptrdiff_t>(at),
                                         nodes->begin() + static_cast<std::ptrdiff_t>(end));
    const auto runs = run_batch(i, these, *splay, waits, until);
    value::list lines;
    for (const auto& run : runs) lines.push_back(run.shown), codes.push_back(run.how);
    i.out.rows(lines, {{"NODE", "node"}, {"RUN", "number"}, {"STATE", "state"}, {"ERROR", "error"}});
    const auto so_far = exit_code_of(codes);
    if (so_far != exit_code::ok && end < nodes->size() && waits) {
      i.out.say("stopped: " + std::to_string(nodes->size() - end) + " nodes were not asked");
      return so_far;
    }
  }
  return exit_code_of(codes);
}

}  // namespace flock::ctl
