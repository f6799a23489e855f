#pragma once

#include "actors/resource/command.hpp"
#include "actors/resource/declared_members.hpp"
#include "libflock/words/notification.hpp"
#include <flock/actor_type.hpp>
#include <flock/error.hpp>
#include <flock/name.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace flock {

/// What came of an action.
struct action_report {
  outcome how = outcome::up_to_date;
  int exit_status = 0;
  std::string output;        ///< of a command, or what was done, for people; in why-run mode what would be done
  std::optional<error> why;  ///< with failed

  static action_report failed(error why) { return {.how = outcome::failed, .why = std::move(why)}; }
};

/// What a provider is given for one action.
struct attempt {
  bool why_run = false;  ///< only say what would be done
  std::string run;       ///< its id; empty outside of any
  std::stop_token stopping;
  std::function<void(std::string_view)> log;  ///< the node's log
  std::string node{};                         ///< the one that performs it
  std::vector<std::string> notifications{};   ///< the ids of those that asked for it, the first one first
};

/// Brings a declared thing into the state that an action asks for. Any thread may call it, but one at a time.
class provider {
 public:
  virtual ~provider() = default;

  /// \param action  one of its type's, and not "nothing"
  virtual action_report perform(std::string_view action, const attempt& how) const = 0;

  /// Whether perform() may wait for anything: a process, a disk.
  virtual bool may_block() const { return true; }

  /// How its guards are run: everything but the line.
  virtual command guard() const { return {}; }
};

/// A kind of managed thing. Adding one: a pair of files like log_resource and a line in resource_types.cpp.
struct resource_type {
  std::string name;
  std::vector<method_info> actions;  ///< the first is the default; "nothing" belongs to every type
  /// Makes the provider of a declaration. What is wrong with its members is left in the reader.
  std::function<std::shared_ptr<const provider>(const resource_name&, declared_members&)> make;

  bool has_action(std::string_view action) const;
  /// "create, delete, nothing"
  std::string action_names() const;
};

/// An action as one of the methods of its resource.
method_info describe_action(std::string name, std::string doc);

/// All that are built in.
const std::vector<resource_type>& resource_types();
/// \returns null if there is no such type
const resource_type* find_resource_type(std::string_view name);

}  // namespace flock
