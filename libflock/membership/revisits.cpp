#include "libflock/membership/revisits.hpp"

#include <algorithm>
#include <utility>

namespace flock {

std::vector<node_id> revisits::due(const std::vector<node_id>& dead, time_point now) {
  std::vector<node_id> visited;
  std::map<node_id, visit> next;
  for (const auto& id : dead) {
    const auto known = next_.find(id);
    auto v = known != next_.end() ? known->second : visit{options_.first, after(options_.first, now)};
    if (v.at <= now) {
      v.pause = std::min(2 * v.pause, options_.longest);
      v.at = after(v.pause, now);
      visited.push_back(id);
    }
    next.emplace(id, v);
  }
  next_ = std::move(next);
  return visited;
}

time_point revisits::after(milliseconds pause, time_point now) {
  const auto half = pause / 2;
  return now + half + milliseconds(random_() % static_cast<std::uint64_t>(half.count() + 1));
}

}  // namespace flock
