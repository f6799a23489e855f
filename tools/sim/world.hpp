#pragma once

#include "libflock/seams/memory_registry.hpp"
#include "tools/sim/dice.hpp"
#include "tools/sim/history.hpp"
#include "tools/sim/manual_clock.hpp"
#include "tools/sim/manual_runtime.hpp"
#include "tools/sim/memory_network.hpp"
#include "tools/sim/plan.hpp"
#include "tools/sim/trace.hpp"

#include <memory>
#include <ostream>

namespace flock::simulator {

/// What all simulated machines share: time, turns, network, the registry's servers, chance, and who writes down what
/// happens.
struct world {
  world(const plan& p, std::ostream* lines)
      : what(p),
        random(p.seed ^ 0x9e3779b97f4a7c15U),
        threads(time, random.number()),
        network(threads, time, random.number()),
        say(time, lines) {}

  plan what;
  testing::manual_clock time;
  dice random;
  testing::manual_runtime threads;
  testing::memory_network network;
  std::shared_ptr<memory_tree> registry = make_memory_tree();
  trace say;
  history past;
};

}  // namespace flock::simulator
