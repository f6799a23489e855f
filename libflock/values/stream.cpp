#include <flock/stream.hpp>

namespace flock {

void value_stream::put(value v) const {
  {
    std::lock_guard lock(state_->mutex);
    if (state_->closed || state_->end) return;
    state_->waiting.push_back(std::move(v));
  }
  deliver(state_);
}

void value_stream::end(result<void> how) const {
  {
    std::lock_guard lock(state_->mutex);
    if (state_->closed || state_->end) return;
    state_->end = std::move(how);
  }
  deliver(state_);
}

bool value_stream::is_open() const {
  std::lock_guard lock(state_->mutex);
  return !state_->closed && !state_->end;
}

std::shared_ptr<void> value_stream::follow(follower next, end_told ended) const {
  {
    std::lock_guard lock(state_->mutex);
    state_->next = std::move(next);
    state_->ended = std::move(ended);
  }
  deliver(state_);
  // It must not keep the stream: that is for those who put values in.
  return {static_cast<void*>(state_.get()), [weak = std::weak_ptr(state_)](void*) {
            if (const auto still = weak.lock()) still->close();
          }};
}

/// Without the lock while somebody is called: who is may put, end, or let go of the handle.
void value_stream::deliver(std::shared_ptr<state> to) {
  auto& s = *to;
  std::unique_lock lock(s.mutex);
  if (s.delivering || !s.next) return;
  s.delivering = true;
  while (!s.closed && !s.waiting.empty()) {
    auto v = std::move(s.waiting.front());
    s.waiting.pop_front();
    const auto next = s.next;
    lock.unlock();
    next(std::move(v));
    lock.lock();
  }
  s.delivering = false;
  if (s.closed || !s.end) return;
  s.closed = true;
  const auto ended = std::exchange(s.ended, {});
  const auto next = std::exchange(s.next, {});
  lock.unlock();
  ended(*s.end);
}

value_stream::state::~state() {
  if (!closed && ended) ended(error{error_code::down, "ended without a word"});
}

void value_stream::state::close() {
  follower unused_next;  // destroyed without the lock
  end_told unused_ended;
  std::lock_guard lock(mutex);
  closed = true;
  waiting.clear();
  unused_next.swap(next);
  unused_ended.swap(ended);
}

}  // namespace flock
