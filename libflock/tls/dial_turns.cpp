#include "libflock/tls/dial_turns.hpp"

#include <algorithm>

namespace flock::internal {

bool dial_turns::request(const node_id& id, time_point now) {
  if (std::any_of(turns_.begin(), turns_.end(), [&](const turn& t) { return t.of == id; })) return true;
  if (waiting_.contains(id)) return false;
  if (waiting_.empty() && may_begin(now)) {
    turns_.push_back({id, now});
    return true;
  }
  waiting_.insert(id);
  line_.push_back(id);
  return false;
}

void dial_turns::end(const node_id& id) {
  std::erase_if(turns_, [&](const turn& t) { return t.of == id; });
  waiting_.erase(id);  // next() passes over it
}

std::optional<node_id> dial_turns::next(time_point now) {
  while (!line_.empty() && may_begin(now)) {
    const auto id = line_.front();
    line_.pop_front();
    if (waiting_.erase(id) == 0) continue;
    turns_.push_back({id, now});
    return id;
  }
  return {};
}

std::optional<time_point> dial_turns::next_at() const {
  if (waiting_.empty()) return {};
  return turns_.size() < at_once_ ? time_point::min() : turns_.front().begin + patience_;
}

bool dial_turns::may_begin(time_point now) {
  std::erase_if(turns_, [&](const turn& t) { return t.begin + patience_ <= now; });
  return turns_.size() < at_once_;
}

}  // namespace flock::internal
