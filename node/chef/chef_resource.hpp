#pragma once

#include "actors/resource/action_context.hpp"
#include <flock/actor_type.hpp>
#include <flock/name.hpp>
#include <flock/value.hpp>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace flock {

/// The actor that stands for a resource that Chef declares. Its methods are the actions that Chef knows for it, each
/// with an optional action_context, and `state`, as those of a resource of a file. Its actions are performed by a Chef
/// run, and answered then, with {"outcome","exit_status","output"}.
class chef_resource final : public actor_object {
 public:
  /// Called on any thread. They outlive the actor.
  struct surroundings {
    std::function<void(const resource_name&, std::string action, action_context why, beginning, responder)> perform;
    std::function<void(const resource_name&, responder)> state;
  };

  chef_resource(surroundings around, resource_name name, const std::vector<std::string>& actions);

  const std::vector<method_info>& methods() const override { return methods_; }

  /// Errors: no_such_method, bad_argument, and those of chef_runs::perform
  void call(const asker& by, std::string_view method, value::list arguments, beginning begin,
            responder answer) override;

 private:
  surroundings around_;
  resource_name name_;
  std::vector<method_info> methods_;
};

}  // namespace flock
