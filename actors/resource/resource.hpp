#pragma once

#include "actors/resource/resource_work.hpp"
#include <flock/actor_type.hpp>

#include <memory>
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
  explicit resource(std::shared_ptr<resource_work> of);

  const std::vector<method_info>& methods() const override { return methods_; }

  /// Errors: no_such_method, bad_argument (the context), refused (too many wait), shutting_down and maybe_done (the
  /// node stops: not begun, ended half-way), down (this resource is no more; not begun)
  void call(const asker& by, std::string_view method, value::list arguments, beginning begin,
            responder answer) override;

 private:
  std::shared_ptr<resource_work> work_;  // shared with whoever declares the resource, and the blocking job under way
  std::vector<method_info> methods_;
};

}  // namespace flock
