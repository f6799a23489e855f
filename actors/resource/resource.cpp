#include "actors/resource/resource.hpp"

#include <utility>

namespace flock {

resource::resource(std::shared_ptr<resource_work> of)
    : work_(std::move(of)), methods_(work_->declared()->type->actions) {
  methods_.push_back({.name = "state", .doc = "how its last action ended", .parameters = {}, .returns = "map"});
}

void resource::call(const asker&, std::string_view method, value::list arguments, beginning begin, responder answer) {
  const auto declared = work_->declared();
  if (method == "state") return begin() ? answer(work_->state()) : void();
  if (!declared->type->has_action(method)) {
    return answer(error{error_code::no_such_method, declared->name.str() + " has no action " + std::string(method) +
                                                        "; there are " + declared->type->action_names()});
  }
  if (arguments.size() > 1) {
    return answer(error{error_code::bad_argument,
                        "an action takes one argument at most, got " + std::to_string(arguments.size())});
  }
  auto context = arguments.empty() ? action_context() : action_context::from_value(arguments.front());
  if (!context) return answer(context.error().within("argument 1"));
  work_->add(std::string(method), {*std::move(context), std::move(begin), std::move(answer)});
}

}  // namespace flock
