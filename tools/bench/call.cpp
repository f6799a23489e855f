#include "tools/bench/call.hpp"

#include "tools/bench/answerer.hpp"
#include "tools/bench/statistics.hpp"
#include "tools/bench/stopwatch.hpp"
#include "tools/bench/tcp_floor.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

namespace flock::bench {

namespace {

struct share {
  const char* name;
  double percent;
};
constexpr std::array<share, 3> shares{{{"p50", 50}, {"p99", 99}, {"p99.9", 99.9}}};

// Calls and floor take turns so often in a repeat: what disturbs one disturbs the other.
constexpr std::size_t turns = 20;

result<std::vector<double>> call_times(const ref<answerer>& to, const std::string& text, std::size_t count) {
  std::vector<double> times;
  times.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const stopwatch time;
    if (auto answer = to.call(&answerer::echo, text); !answer) return answer.error();
    times.push_back(time.microseconds());
  }
  return times;
}

struct samples {
  std::vector<double> calls;
  std::vector<double> echoes;
};

result<samples> take_turns(const ref<answerer>& to, const tcp_peer& echo, std::size_t bytes, std::size_t count) {
  samples all;
  const std::string text(bytes, 'x');
  const auto each = std::max<std::size_t>(count / turns, 1);
  while (all.calls.size() < count) {
    auto echoes = echo_times(echo, bytes, each);
    if (!echoes) return echoes.error();
    auto calls = call_times(to, text, each);
    if (!calls) return calls.error();
    all.echoes.insert(all.echoes.end(), echoes->begin(), echoes->end());
    all.calls.insert(all.calls.end(), calls->begin(), calls->end());
  }
  return all;
}

result<void> measure(const settings& with, const report& to, const stage& on, const ref<answerer>& whom,
                     std::size_t bytes) {
  const auto count = static_cast<std::size_t>(with.number("calls"));
  auto echo = tcp_peer::start("tcp_echo", on.log(), bytes);
  if (!echo) return echo.error();
  auto warm = take_turns(whom, *echo, bytes, std::max<std::size_t>(count / 10, 1));
  if (!warm) return warm.error();
  std::array<measurement, shares.size()> each;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    each[i] = {"call", shares[i].name, "us", with.common(), {}, {{"blocking TCP_NODELAY echo", {}}}};
    each[i].parameters.emplace("bytes", bytes);
    each[i].parameters.emplace("calls", count);
  }
  for (int repeat = 0; repeat < with.repeats; ++repeat) {
    auto all = take_turns(whom, *echo, bytes, count);
    if (!all) return all.error();
    for (std::size_t i = 0; i < shares.size(); ++i) {
      each[i].repeats.push_back(percentile(all->calls, shares[i].percent));
      each[i].floors[0].repeats.push_back(percentile(all->echoes, shares[i].percent));
    }
  }
  for (const auto& m : each) to(m);
  return {};
}

result<void> run(const settings& with, const report& to) {
  auto on = stage::set_up(with);
  if (!on) return on.error();
  const auto nodes = answering_pair::start(*on, "calling");
  if (!nodes) return nodes.error();
  for (const auto bytes : with.list("bytes"))
    if (auto done = measure(with, to, *on, nodes->actor, static_cast<std::size_t>(bytes)); !done) return done;
  return {};
}

}  // namespace

workload call_workload() {
  return {"call",
          "calls from a program to an actor of another process, one after the other; request and answer have the same "
          "size: p50, p99 and p99.9 of a repeat",
          {{"calls", "20000", "how many in a repeat"}, {"bytes", "64,1024", "sizes of the text that goes both ways"}},
          run};
}

}  // namespace flock::bench
