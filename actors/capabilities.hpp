#pragma once

#include "actors/surroundings.hpp"
#include <flock/actor_type.hpp>

#include <memory>
#include <string_view>
#include <type_traits>
#include <vector>

namespace flock {

/// One line of actors.def.
struct capability {
  std::string_view name;  ///< of the class, and of its actor
  std::string_view does;  ///< in a few words, for people
  std::unique_ptr<actor_object> (*make)(const surroundings&);
};

/// What every flockd publishes: all lines of actors.def, in their order.
const std::vector<capability>& capabilities();

/// An object of a described class, which gets the surroundings if its constructor takes them.
template <describable T> std::unique_ptr<actor_object> make_capability(const surroundings& around) {
  if constexpr (std::is_constructible_v<T, const surroundings&>)
    return std::make_unique<described_actor<T>>(std::make_unique<T>(around));
  else
    return std::make_unique<described_actor<T>>(std::make_unique<T>());
}

}  // namespace flock
