#include "node/control/event_stream.hpp"

#include <utility>

namespace flock {

std::string to_server_sent_event(const event& e) {
  return "id: " + e.cursor + "\ndata: " + to_json(e.to_value()) + "\n\n";
}

void event_stream::keep(std::shared_ptr<void> handle) {
  std::lock_guard lock(mutex_);
  // A handle that comes too late is destroyed with the argument, which outlives the lock.
  if (!closed_) handle_ = std::move(handle);
}

void event_stream::push(std::string text) { add(std::move(text), false); }

void event_stream::finish(std::string text) { add(std::move(text), true); }

void event_stream::add(std::string text, bool is_last) {
  std::function<void()> ready;
  {
    std::lock_guard lock(mutex_);
    if (closed_ || overrun_) return;
    if (bytes_.empty()) ready = ready_;
    finished_ = is_last;
    overrun_ = bytes_.size() + text.size() > max_bytes;
    if (overrun_)
      bytes_ = {};
    else
      bytes_ += text;
  }
  if (ready) ready();
}

void event_stream::on_ready(std::function<void()> ready) {
  bool now;
  {
    std::lock_guard lock(mutex_);
    if (closed_) return;
    ready_ = ready;
    now = overrun_ || !bytes_.empty();
  }
  if (now) ready();
}

std::optional<std::string> event_stream::take() {
  std::lock_guard lock(mutex_);
  if (overrun_) return std::nullopt;
  return std::exchange(bytes_, {});
}

bool event_stream::is_finished() const {
  std::lock_guard lock(mutex_);
  return finished_ && bytes_.empty();
}

void event_stream::close() {
  std::shared_ptr<void> handle;  // destroyed without the lock: it may wait for a push() to end
  std::lock_guard lock(mutex_);
  closed_ = true;
  handle.swap(handle_);
  ready_ = nullptr;
}

}  // namespace flock
