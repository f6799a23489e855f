#pragma once

#include "tools/flockctl/command.hpp"
#include "tools/flockctl/console.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace flock::ctl {

/// A command that is no more than one method of an actor that every flockd has, and how its answer is shown.
struct actor_view {
  std::string_view actor;
  std::string_view method;
  std::vector<column> columns;              ///< of the table, a row for each node of a location
  std::vector<std::string_view> leading{};  ///< members that come first when a single node is shown, line by line
};

/// Asks this node, the one that the operand names, or all nodes of a location, and shows what they answer. A node that
/// does not answer, or is dead or left, is a row with "node" and "error"; the exit status is then 1.
std::function<result<exit_code>(const invocation&)> ask_actor(actor_view what);

}  // namespace flock::ctl
