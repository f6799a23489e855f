#pragma once

#include "libflock/delivery/courier.hpp"
#include "tools/sim/dice.hpp"
#include <flock/clock.hpp>

#include <cstdint>
#include <optional>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

namespace flock::simulator {

/// What can go wrong. A seed chooses some of them, so that each is also seen without the others.
enum class fault : std::uint8_t {
  loss,              ///< parcels and acknowledgements vanish though the connection stands
  repetition,        ///< and come twice
  delay,             ///< messages take longer
  drops,             ///< connections end
  cuts,              ///< one way, both ways, one node from all; for ever so long
  crashes,           ///< at any instant
  crash_points,      ///< at a moment of a write or an action
  stops,             ///< orderly ones
  moves,             ///< a node comes back with another address
  stalls,            ///< a process gets no turns for a while
  slow_disks,        ///< writes take seconds
  full_disks,        ///< writes wait
  lost_disks,        ///< a node comes back with an empty storage
  damage,            ///< a node comes back, and records are found damaged
  clock_jumps,       ///< of wall clocks, up to an hour
  registry_outages,  ///< shorter and longer than a session
  session_expiry,    ///< of one node; the servers may notice late
  registry_wipes,    ///< the registry loses all its data
  chef_kills,        ///< a Chef run is gone at any instant, or in the middle of what it was given
  bad_recipes,       ///< Chef runs fail: to start, to compile, in the end
};

inline constexpr fault last_fault = fault::bad_recipes;

std::string_view to_string(fault f);
std::optional<fault> fault_from(std::string_view name);

/// safety: faults go on until the end. liveness: they end, and then all must be settled, and all views equal, in time.
enum class mode : std::uint8_t { safety, liveness };

/// What a seed means.
struct plan {
  std::uint64_t seed = 0;
  simulator::mode mode = mode::safety;
  std::size_t nodes = 3;
  milliseconds faults_last{0};
  milliseconds pause{0};        ///< between two things that happen, at most
  milliseconds longest_cut{0};  ///< and absence of a node
  std::set<fault> faults;
  courier::options delivery;
  milliseconds longest_job{0};
  std::size_t most_chef_steps = 3;  ///< of a Chef run: resources of its own, of which others may hear
  bool parts_are_checked = true;    ///< whatever a turn touched, after it; and all, when something goes wrong
  bool one_is_elsewhere = false;    ///< the last node is of another environment: the others may ask nothing of it

  static plan of(std::uint64_t seed, simulator::mode m);
  bool has(fault f) const { return faults.count(f) > 0; }
};

}  // namespace flock::simulator
