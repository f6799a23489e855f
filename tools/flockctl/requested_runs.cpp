#include "tools/flockctl/requested_runs.hpp"

#include <algorithm>
#include <chrono>
#include <random>
#include <utility>

namespace flock::ctl {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view api_actor = "flock_api";

// A run takes some seconds at least, and a look costs a node next to nothing.
constexpr milliseconds between_looks = 500ms;
// Whoever does not answer holds up the looks at the others, for the time that an answer is waited for.
constexpr milliseconds between_vain_looks = 5s;
constexpr milliseconds one_answer = 2s;
// To be asked for a run may take longer: its flockd may be busy, or just be restarting.
constexpr milliseconds first_answer = 5s;

/// Random times within the splay, in order.
std::vector<milliseconds> spread(std::size_t count, milliseconds splay) {
  std::vector<milliseconds> starts(count, 0ms);
  if (splay <= 0ms) return starts;
  std::mt19937_64 random{std::random_device()()};
  std::uniform_int_distribution<milliseconds::rep> within(0, splay.count() - 1);
  for (auto& start : starts) start = milliseconds(within(random));
  std::sort(starts.begin(), starts.end());
  return starts;
}

/// Whether it may be well, but nobody can tell at present.
bool is_out_of_reach(const error& why) {
  return why.code == error_code::timeout || why.code == error_code::maybe_done || why.code == error_code::unreachable;
}

}  // namespace

requested_runs::requested_runs(const invocation& i, const std::vector<node>& nodes, const plan& p, told tell)
    : i_(i), plan_(p), tell_(std::move(tell)), board_(i.out) {
  const auto starts = spread(nodes.size(), p.splay);
  const auto now = i.time.now();
  for (std::size_t n = 0; n < nodes.size(); ++n)
    runs_.push_back({nodes[n], now + starts[n], false, "will be asked", {}, 0, std::nullopt});
}

std::vector<exit_code> requested_runs::finish() {
  while (!is_over()) {
    for (auto& run : runs_) {
      if (!run.how && i_.time.now() >= run.next_look) step(run);
    }
    show();
    if (is_over()) break;
    const auto pause = std::chrono::ceil<milliseconds>(next() - i_.time.now());
    // The seconds that are shown go on meanwhile.
    if (pause > 0ms) i_.sleep(std::min(pause, milliseconds(1s)));
  }
  std::vector<exit_code> codes;
  for (const auto& run : runs_) codes.push_back(*run.how);
  return codes;
}

bool requested_runs::is_over() const {
  return std::all_of(runs_.begin(), runs_.end(), [](const one& run) { return run.how.has_value(); });
}

time_point requested_runs::next() const {
  auto first = time_point::max();
  for (const auto& run : runs_)
    if (!run.how) first = std::min(first, run.next_look);
  return first;
}

void requested_runs::step(one& run) {
  if (!run.asked) return ask(run);
  look(run);
  if (!run.how && i_.time.now() >= plan_.until) unknown(run, "it had not ended in time");
}

void requested_runs::ask(one& run) {
  run.asked = true;
  run.since = i_.time.now();
  const auto number = call(run, "run_chef", {}, first_answer);
  if (!number) return failed(run, number.error());
  const auto* count = number->as_int();
  if (!count) return failed(run, {error_code::protocol, "the node answered " + to_json(*number)});
  run.number = *count;
  run.state = "asked";
  run.next_look = std::min(i_.time.now() + between_looks, plan_.until);
  if (!plan_.waits) settle(run, exit_code::ok, "asked", {}, {});
}

void requested_runs::look(one& run) {
  const auto last = call(run, "last", {}, one_answer);
  if (!last && !is_out_of_reach(last.error())) return failed(run, last.error());
  const auto* number = last ? (*last)["number"].as_int() : nullptr;
  if (number && *number >= run.number) {
    const auto how = call(run, "ended", {run.number}, one_answer);
    if (how) return ended(run, *how);
    if (!is_out_of_reach(how.error())) return failed(run, how.error());
  }
  if (is_another_life(run)) return unknown(run, "its flockd was restarted during the run");
  run.state = last ? "runs" : "does not answer";
  run.next_look = std::min(i_.time.now() + (last ? between_looks : between_vain_looks), plan_.until);
}

/// A flockd that was restarted counts its runs anew.
bool requested_runs::is_another_life(const one& run) const {
  const auto now = i_.flockd.get(target({"v1", "nodes", run.whom.id}, {{"timeout", format_duration(one_answer)}}),
                                 i_.time.now() + one_answer + 1s);
  const auto* life = now ? (*now)["incarnation"].as_text() : nullptr;
  return life && !run.whom.incarnation.empty() && *life != run.whom.incarnation;
}

result<value> requested_runs::call(const one& run, const std::string& method, value::list arguments,
                                   milliseconds patience) const {
  const auto path =
      target({"v1", "call", run.whom.id, std::string(api_actor), method}, {{"timeout", format_duration(patience)}});
  auto answer = i_.flockd.post(path, std::move(arguments), i_.time.now() + patience + 1s);
  if (!answer) return answer.error();
  return (*answer)["result"];
}

void requested_runs::ended(one& run, const value& how) {
  const bool good = how["success"] == value(true);
  settle(run, good ? exit_code::ok : exit_code::some_failed, good ? "succeeded" : "failed", how["error"],
         how["output"]);
}

void requested_runs::failed(one& run, const error& why) { settle(run, exit_code_of(why.code), "failed", why.what, {}); }

void requested_runs::unknown(one& run, const std::string& why) {
  settle(run, exit_code::timed_out, "unknown", why, {});
}

void requested_runs::settle(one& run, exit_code how, std::string_view state, value why, value output) {
  run.how = how;
  value::map line{{"node", run.whom.id}, {"number", value()}, {"state", state}, {"error", std::move(why)}};
  if (run.number > 0) line["number"] = run.number;
  if (!output.is_null()) line["output"] = std::move(output);
  board_.hide();
  tell_(value(std::move(line)));
}

void requested_runs::show() {
  std::vector<std::string> lines;
  for (const auto& run : runs_) {
    if (run.how) continue;
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(i_.time.now() - run.since).count();
    const auto time = run.asked ? ", " + std::to_string(seconds) + " s" : std::string();
    lines.push_back(run.whom.id + ": " + run.state + time);
  }
  board_.show(lines);
}

}  // namespace flock::ctl
