#include "actors/resource/joint_action.hpp"

#include <utility>

namespace flock {

joint_action::joint_action(std::string action, waiter first) : action_(std::move(action)) {
  waiters_.push_back(std::move(first));
}

action_context joint_action::why() const {
  auto all = waiters_.front().why;
  for (const auto& a : waiters_) all.join(a.why);
  return all;
}

void joint_action::join(waiter a) { waiters_.push_back(std::move(a)); }

bool joint_action::begin() {
  std::erase_if(waiters_, [](const waiter& a) { return a.begin && !a.begin(); });
  return !waiters_.empty();
}

void joint_action::tell(const result<value>& how) const {
  auto shared = how;
  if (shared && shared->as_map()) {
    const auto& id = first_reason().notification;
    shared->as_map()->emplace("performed_with", id.empty() ? "another request" : id);
  }
  for (const auto& a : waiters_) a.answer(&a == &waiters_.front() ? how : shared);
}

}  // namespace flock
