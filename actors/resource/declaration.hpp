#pragma once

#include "actors/resource/resource_type.hpp"
#include "libflock/words/run.hpp"
#include "libflock/words/subscriptions.hpp"
#include <flock/name.hpp>
#include <flock/value.hpp>

#include <memory>
#include <string>
#include <vector>

namespace flock {

/// Commands that decide whether an action is performed: all of `only_if` must succeed and none of `not_if`. They run as
/// the resource itself does, with its user, folder and environment.
struct guards {
  std::vector<std::string> only_if;
  std::vector<std::string> not_if;

  bool empty() const { return only_if.empty() && not_if.empty(); }
  /// How long one may take. A guard is a question; one that hangs makes the action fail.
  static constexpr milliseconds timeout{60'000};
};

/// A resource of this node as a resource file declares it.
struct declaration {
  resource_name name;
  const resource_type* type = nullptr;
  std::shared_ptr<const provider> what;
  value members;       ///< as in the file: those of two readings are equal if nothing was changed
  std::string action;  ///< what a run performs
  flock::guards guards;
  std::vector<wanted_action> notifies;
  std::vector<subscription> subscribes;
  std::string file;
  int line = 0;

  /// "resources.d/web.json:12", for people
  std::string place() const { return file + ":" + std::to_string(line); }
};

}  // namespace flock
