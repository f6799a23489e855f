#include "tools/sim/simulation.hpp"
#include <flock/standard_output.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unistd.h>
#include <vector>

namespace {

using namespace flock::simulator;

constexpr const char* help = R"(flock-sim: runs a flock of real nodes in one thread, in a world of its own

usage: flock-sim --seed S [--trace]
       flock-sim --seeds N [--first S]
       flock-sim --minutes M [--first S]

A seed decides everything: who has its turn when, what users do, and what goes wrong. The same seed always does
the same, to the bit, so whatever was found once can be looked at again.

  --seed S       this one seed
  --trace        writes down what happens: simulated seconds, node, what
  --seeds N      so many seeds, one after the other
  --minutes M    seeds until so many minutes have passed
  --first S      begins with this seed; default: 1
  --mode MODE    safety: faults go on until the end; nothing forbidden may happen
                 liveness: they end, and then all must be settled, and all views equal, within a bound
                 both: each seed in both ways (default)
  --without F    without this fault, though the seed chose it; may repeat. There are
                 loss, repetition, delay, drops, cuts, crashes, crash_points, stops, moves, stalls,
                 slow_disks, full_disks, lost_disks, damage, clock_jumps, registry_outages,
                 session_expiry, registry_wipes, chef_kills, bad_recipes
  --without-checks
                 the parts of the nodes are not asked for their own invariants
  --keep-going   tells of all seeds that break an invariant, not of the first one only
  --must-break   succeeds if a seed breaks an invariant, and fails if none does: for mutants
  --help         shows this

Exit status: 0 all invariants held, 1 one was broken (the seed is told), 2 usage. See docs/simulator.md.
)";

struct options {
  std::optional<std::uint64_t> seed;
  bool trace = false;
  std::optional<std::uint64_t> seeds;
  std::optional<std::uint64_t> minutes;
  std::uint64_t first = 1;
  std::vector<mode> modes{mode::safety, mode::liveness};
  std::set<fault> without;
  bool keep_going = false;
  bool must_break = false;
  bool checks = true;
};

[[noreturn]] void bad_usage(const std::string& what) {
  std::cerr << "flock-sim: " << what << "; --help tells more\n";
  std::exit(2);
}

std::uint64_t number(const std::string& option, std::string_view text) {
  std::uint64_t n = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (failed != std::errc() || end != text.data() + text.size())
    bad_usage(option + ": not a number: " + std::string(text));
  return n;
}

std::vector<mode> modes_from(std::string_view name) {
  if (name == "safety") return {mode::safety};
  if (name == "liveness") return {mode::liveness};
  if (name == "both") return {mode::safety, mode::liveness};
  bad_usage("--mode is one of safety|liveness|both, not " + std::string(name));
}

fault fault_named(std::string_view name) {
  const auto f = fault_from(name);
  if (f) return *f;
  std::string known;
  for (int i = 0; i <= static_cast<int>(last_fault); ++i)
    known.append(known.empty() ? "" : "|").append(to_string(static_cast<fault>(i)));
  bad_usage("--without is one of " + known + ", not " + std::string(name));
}

options parse(std::vector<std::string> words) {
  options o;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto& word = words[i];
    const auto value = [&]() -> std::string_view {
      if (++i == words.size()) bad_usage(word + " needs a value");
      return words[i];
    };
    if (word == "--help") {
      std::cout << help;
      std::exit(flock::end_of_output("flock-sim", 0));
    }
    if (word == "--trace")
      o.trace = true;
    else if (word == "--keep-going")
      o.keep_going = true;
    else if (word == "--must-break")
      o.must_break = true;
    else if (word == "--without-checks")
      o.checks = false;
    else if (word == "--without")
      o.without.insert(fault_named(value()));
    else if (word == "--seed")
      o.seed = number(word, value());
    else if (word == "--seeds")
      o.seeds = number(word, value());
    else if (word == "--minutes")
      o.minutes = number(word, value());
    else if (word == "--first")
      o.first = number(word, value());
    else if (word == "--mode")
      o.modes = modes_from(value());
    else
      bad_usage("unknown option " + word);
  }
  if (o.seed.has_value() + o.seeds.has_value() + o.minutes.has_value() != 1)
    bad_usage("one of --seed, --seeds and --minutes");
  if (o.trace && !o.seed) bad_usage("--trace goes with --seed");
  if (o.seed) o.first = *o.seed;
  return o;
}

// Instead of an invariant's name.
constexpr const char* thrown = "none";

std::string_view name(mode m) { return m == mode::safety ? "safety" : "liveness"; }

// For the signal handler: where an assertion of the code under test ends this process.
volatile std::uint64_t running_seed = 0;
volatile bool running_liveness = false;

void tell_seed(int) {
  char line[128];
  const int size =
      std::snprintf(line, sizeof line, "flock-sim: aborted; replay with: flock-sim --seed %llu --mode %s --trace\n",
                    static_cast<unsigned long long>(running_seed), running_liveness ? "liveness" : "safety");
  if (::write(STDERR_FILENO, line, static_cast<std::size_t>(size)) < 0) std::_Exit(1);
  std::signal(SIGABRT, SIG_DFL);
  std::abort();
}

outcome_of_seed run_one(std::uint64_t seed, mode m, const options& o) {
  running_seed = seed;
  running_liveness = m == mode::liveness;
  if (o.trace) std::cout << "seed " << seed << ", " << name(m) << '\n';
  try {
    return simulate(seed, m, o.trace ? &std::cout : nullptr, o.without, o.checks);
  } catch (const std::exception& e) {
    outcome_of_seed ended;
    ended.broken = breach{thrown, std::string("something was thrown: ") + e.what()};
    return ended;
  }
}

class campaign {
 public:
  explicit campaign(options o) : options_(std::move(o)) {}

  int run() {
    for (auto seed = options_.first; !is_over(seed); ++seed)
      for (auto m : options_.modes) {
        if (breaches_ > 0 && !options_.keep_going) break;
        take(seed, m, run_one(seed, m, options_));
      }
    if (on_terminal_) std::cerr << "\r\033[K";
    tell_all();
    return options_.must_break ? breaches_ == 0 : breaches_ > 0;
  }

 private:
  using clock = std::chrono::steady_clock;

  bool is_over(std::uint64_t seed) const {
    if (breaches_ > 0 && !options_.keep_going) return true;
    if (options_.seed) return seed != *options_.seed;
    if (options_.seeds) return seed - options_.first >= *options_.seeds;
    return clock::now() - began_ >= std::chrono::minutes(*options_.minutes);
  }

  void take(std::uint64_t seed, mode m, const outcome_of_seed& came) {
    ++runs_;
    turns_ += came.turns;
    simulated_ += came.simulated;
    all_.notifications += came.counted.notifications;
    all_.begun += came.counted.begun;
    all_.repeated += came.counted.repeated;
    all_.calls += came.counted.calls;
    all_.monitors_fired += came.counted.monitors_fired;
    all_.asked += came.counted.asked;
    all_.chef_ended += came.counted.chef_ended;
    all_.owed += came.counted.owed;
    all_.not_notified += came.counted.not_notified;
    for (const auto& [state, count] : came.counted.ended) all_.ended[state] += count;
    if (came.broken) {
      if (came.broken->invariant != thrown || !options_.must_break) ++breaches_;
      if (on_terminal_) std::cerr << "\r\033[K";
      std::cout << "seed " << seed << " (" << name(m) << ") broke " << came.broken->invariant << ": "
                << came.broken->what << "\nreplay: flock-sim --seed " << seed << " --mode " << name(m) << " --trace"
                << std::endl;
    }
    tell_progress(seed);
  }

  void tell_progress(std::uint64_t seed) {
    if (!on_terminal_ || options_.trace || clock::now() - told_ < std::chrono::milliseconds(200)) return;
    told_ = clock::now();
    std::cerr << "\r\033[Kseed " << seed << ", " << runs_ << " runs" << std::flush;
  }

  void tell_all() const {
    const auto seconds = std::chrono::duration<double>(clock::now() - began_).count();
    const auto hours = std::chrono::duration<double, std::ratio<3600>>(simulated_).count();
    std::cout << runs_ << " runs, " << turns_ << " turns, " << hours << " simulated hours; " << all_.notifications
              << " notifications, " << all_.begun << " begun, " << all_.repeated << " more than once";
    for (const auto& [state, count] : all_.ended) std::cout << ", " << count << ' ' << flock::to_string(state);
    std::cout << "; " << all_.calls << " calls; " << all_.monitors_fired << " monitors fired; " << all_.asked
              << " questions to flockd; " << all_.chef_ended << " Chef runs; " << all_.owed << " owed, "
              << all_.not_notified << " said not to be notified; "
              << static_cast<std::uint64_t>(static_cast<double>(runs_) * 60 / std::max(seconds, 1e-3)) << " runs/min\n";
  }

  options options_;
  const bool on_terminal_ = ::isatty(STDERR_FILENO) != 0;
  const clock::time_point began_ = clock::now();
  clock::time_point told_{};
  std::uint64_t runs_ = 0;
  std::uint64_t breaches_ = 0;
  std::size_t turns_ = 0;
  flock::milliseconds simulated_{0};
  history::totals all_;
};

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGABRT, tell_seed);
  return flock::end_of_output("flock-sim", campaign(parse({argv + 1, argv + argc})).run());
}
