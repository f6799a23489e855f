#pragma once

#include "actors/resource/action_context.hpp"
#include "actors/resource/declaration.hpp"
#include "libflock/seams/runtime.hpp"
#include <flock/actor_type.hpp>
#include <flock/clock.hpp>

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace flock {

/// The actor that stands for a declared resource. Its methods are the actions of its type, and `state`.
///
/// An action takes an optional action_context and answers {"outcome","exit_status","output"}, with the member "error",
/// {"code","message"}, if it failed. Errors are for actions that were not performed, or of which nobody can tell
/// whether they were.
///
/// Actions are performed one at a time in the order in which they were asked for, also while one of them waits for its
/// command. An action that is asked for while the last one that waits is the same joins it: it is performed once, and
/// all who asked are answered with its outcome; the answers but the first have the member "performed_with", the id of
/// the notification that was the first to ask. An action begins, for all who ask for it, when it is really performed.
///
/// `state` answers {"resource","actions","state","action","outcome","at","run","error"}: idle or running, and how the
/// last action ended; null where there was none. Those in why-run mode and `nothing` are no such actions.
class resource final : public actor_object {
 public:
  /// What a resource uses of its node, which outlives it. The functions are called on any thread.
  struct surroundings {
    runtime& threads;
    const clock& time;
    std::stop_token stopping;  ///< ends the commands that run
    std::function<void(std::string_view)> log;
    /// An action updated the resource. Called before the action is answered.
    std::function<void(const resource_name&, const std::string& action, const action_context&)> updated;
    std::string node{};  ///< its id
  };

  resource(surroundings around, std::shared_ptr<const declaration> declared);
  /// Actions that wait are answered with down; the one under way goes on and is answered.
  ~resource() override;

  const std::vector<method_info>& methods() const override { return methods_; }

  /// Errors: no_such_method, bad_argument (the context), refused (too many wait), shutting_down and maybe_done (the
  /// node stops: not begun, ended half-way), down (this resource is no more; not begun)
  void invoke(std::string_view method, value::list arguments, responder answer) override;
  void take(std::string_view method, value::list arguments, beginning begin, responder answer) override;

  /// Actions that may wait for the one under way. Whoever asks more often than this does not look at the answers.
  static constexpr std::size_t max_waiting = 1'000;
  /// Those who may wait for them, some for the same.
  static constexpr std::size_t max_askers = 10'000;

 private:
  class work;

  std::shared_ptr<work> work_;  // shared with the blocking job under way
  std::vector<method_info> methods_;
};

}  // namespace flock
