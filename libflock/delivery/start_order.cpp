#include "libflock/delivery/start_order.hpp"

namespace flock {

using internal::sentence;
using internal::whole_at_end;

bool start_order::may_start(const place& p) {
  // What was judged before, in this line, was judged before the actor's turn came to this one.
  if (held_ == 0) return true;
  std::lock_guard lock(mutex_);
  const whole_at_end look([this] { return check_locked(); });
  const auto at = lines_.find(p.in);
  if (at == lines_.end()) return true;
  if (at->second.begin()->first < p.number) {
    put(p, state::sent_back);
    return false;
  }
  held_ -= at->second.erase(p.number);
  if (at->second.empty()) lines_.erase(at);
  return true;
}

void start_order::will_not_start(const place& p) {
  std::lock_guard lock(mutex_);
  const whole_at_end look([this] { return check_locked(); });
  put(p, state::will_not_start);
}

std::vector<std::string> start_order::came_back(const place& p) {
  std::lock_guard lock(mutex_);
  const whole_at_end look([this] { return check_locked(); });
  put(p, state::waits);
  return release(lines_.at(p.in));
}

std::vector<std::string> start_order::durable(const place& p) {
  std::lock_guard lock(mutex_);
  const whole_at_end look([this] { return check_locked(); });
  const auto at = lines_.find(p.in);
  if (at == lines_.end()) return {};
  held_ -= at->second.erase(p.number);
  auto released = release(at->second);
  if (at->second.empty()) lines_.erase(at);
  return released;
}

void start_order::put(const place& p, state s) {
  if (lines_[p.in].insert_or_assign(p.number, entry{p.id, s}).second) ++held_;
}

/// Up to the first that is still to be waited for. Those that were handed over keep their order among themselves.
std::vector<std::string> start_order::release(entries& of) {
  std::vector<std::string> released;
  for (auto& [number, e] : of) {
    if (e.now == state::will_not_start || e.now == state::sent_back) break;
    if (e.now == state::waits) released.push_back(e.id);
    e.now = state::handed_over;
  }
  return released;
}

broken start_order::check() const {
  std::lock_guard lock(mutex_);
  return check_locked();
}

broken start_order::check_locked() const {
  std::size_t all = 0;
  for (const auto& [in, of] : lines_) {
    all += of.size();
    if (of.empty()) return sentence("the line from ", in.sender, " to ", in.actor, " is empty");
    for (const auto& [number, e] : of) {
      if (e.now == state::will_not_start || e.now == state::sent_back) break;
      if (e.now == state::waits)
        return sentence(e.id, " came back from ", in.actor, ", and waits for nothing that is before it");
    }
  }
  if (all != held_) return sentence(all, " notifications are in lines, and ", held_.load(), " are counted");
  return {};
}

bool start_turn::begin() {
  if (state_ == state::begun) return true;
  const bool may = order_->may_start(place_);
  state_ = may ? state::begun : state::sent_back;
  return may;
}

void start_turn::end(const result<value>& how) {
  const bool is_end = how || how.error().code != error_code::shutting_down;
  if (is_end && state_ == state::waits) order_->will_not_start(place_);
}

}  // namespace flock
