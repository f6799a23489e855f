#include "libflock/calls/watches.hpp"

#include <utility>
#include <vector>

namespace flock {

void watches::watch(std::uint64_t handle, const address& whom, told f) {
  if (!whom.node) return f({error_code::down, "no node in " + whom.str()});
  watched_.emplace(handle, std::move(f));
  host_.ask_until_gone(*whom.node, whom.actor, [this, handle](const result<value>& answer) {
    if (answer || answer.error().code == error_code::shutting_down) return;
    const auto gone = watched_.extract(handle);
    if (!gone.empty()) gone.mapped()({error_code::down, answer.error().what});
  });
}

deferred<void> watches::until_gone(const actor_name& name) {
  deferred<void> gone;
  if (!host_.is_here(name)) {
    gone.settle(error{error_code::not_found, "no actor " + name.str() + " on " + self_.str()});
  } else if (watchers_.size() >= max_watchers) {
    gone.settle(error{error_code::refused, "too many watchers"});
  } else {
    watchers_.emplace(name, gone);
  }
  return gone;
}

void watches::unpublished(const actor_name& name) {
  const auto [first, last] = watchers_.equal_range(name);
  std::vector<deferred<void>> watching;
  for (auto at = first; at != last; ++at) watching.push_back(at->second);
  watchers_.erase(first, last);
  for (const auto& gone : watching) gone.settle(error{error_code::down, "no longer published"});
}

void watches::clear() {
  std::exchange(watched_, {}).clear();
  std::exchange(watchers_, {}).clear();
}

}  // namespace flock
