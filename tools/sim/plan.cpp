#include "tools/sim/plan.hpp"

#include <algorithm>
#include <array>

namespace flock::simulator {

using namespace std::chrono_literals;

namespace {

constexpr std::array<std::string_view, static_cast<std::size_t>(last_fault) + 1> fault_names = {
    "loss",           "repetition",     "delay",        "drops",
    "cuts",           "crashes",        "crash_points", "stops",
    "moves",          "stalls",         "slow_disks",   "full_disks",
    "lost_disks",     "damage",         "clock_jumps",  "registry_outages",
    "session_expiry", "registry_wipes", "chef_kills",   "bad_recipes"};

/// Small ones, so that windows fill and reservations are used up.
courier::options small_numbers(dice& random) {
  courier::options o;
  o.out.window = random.pick<std::size_t>({2, 8, 1024});
  o.out.batch = random.pick<std::size_t>({1, 3, 100});
  o.out.reserve = random.pick<std::size_t>({2, 4, 16, 1024});
  o.stall = random.pick<milliseconds>({200ms, 10s, 10s});
  return o;
}

}  // namespace

std::string_view to_string(fault f) { return fault_names[static_cast<std::size_t>(f)]; }

std::optional<fault> fault_from(std::string_view name) {
  const auto* at = std::find(fault_names.begin(), fault_names.end(), name);
  if (at == fault_names.end()) return std::nullopt;
  return static_cast<fault>(at - fault_names.begin());
}

plan plan::of(std::uint64_t seed, simulator::mode m) {
  dice random(seed);
  plan p{.seed = seed, .mode = m};
  p.nodes = 3 + random.below(3);
  p.faults_last = random.between(20s, 60s);
  p.pause = random.pick({200ms, 600ms, 1500ms});
  p.longest_cut = 20s;
  if (random.chance(0.15)) {
    // Longer than the grace for what may have been done by a node that is out of reach.
    p.faults_last = 200s;
    p.pause = 4s;
    p.longest_cut = 100s;
  }
  const double share = random.pick({0.15, 0.35, 0.6});
  for (std::size_t f = 0; f < fault_names.size(); ++f)
    if (random.chance(share)) p.faults.insert(static_cast<fault>(f));
  p.delivery = small_numbers(random);
  p.longest_job = random.pick({5ms, 300ms, 4000ms});
  p.one_is_elsewhere = random.chance(0.1);
  return p;
}

}  // namespace flock::simulator
