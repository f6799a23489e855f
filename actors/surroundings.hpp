#pragma once

#include "actors/system_view.hpp"
#include "libflock/core/node_core.hpp"
#include <flock/clock.hpp>
#include <flock/deferred.hpp>
#include <flock/name.hpp>
#include <flock/node_info.hpp>
#include <flock/ref.hpp>
#include <flock/value.hpp>

#include <functional>
#include <memory>
#include <string>

namespace flock {

/// What an actor of actors.def gets of its node, if its constructor takes it: the seams and the ways of the node, never
/// what stands behind them, so that the simulator runs it as a flockd does. All of it outlives the actor, and may be
/// used from any thread.
struct surroundings {
  node_id id;
  const clock& time;
  runtime& threads;  ///< for work that blocks
  registry& tree;
  const system_view& system;
  std::string state_folder;        ///< where the node's journal is; empty if it is in memory
  std::shared_ptr<caller> others;  ///< asks, tells and watches actors, as ref and its kin do
  /// This node as others see it, its address, life and attributes.
  std::function<deferred<node_info>()> about;
  /// Asks for an action of a resource; answers in the node's home, see node_core::notify.
  std::function<void(wanted_action, notifier::all_sent)> notify;
  /// Adds to the node's events.
  std::function<void(std::string type, value::map members)> add_event;
};

/// \param core, time, system  outlive all that is given them
surroundings surroundings_on(node_core& core, const clock& time, const system_view& system);

}  // namespace flock
