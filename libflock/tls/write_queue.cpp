#include "libflock/tls/write_queue.hpp"

#include <utility>

namespace flock::internal {

namespace {

// What an idle connection keeps for its next frame.
constexpr std::size_t kept_capacity = 4 << 10;

}  // namespace

bool write_queue::push(std::string_view frame) {
  if (frame.size() > limit_ || size_ > limit_ - frame.size()) return false;
  if (chunks_.empty()) {
    chunks_.push_back(std::exchange(spare_, {}));
  } else if (chunks_.back().size() + frame.size() > gathered) {
    chunks_.emplace_back().reserve(gathered);  // one chunk was filled: more will follow
  }
  chunks_.back() += frame;
  size_ += frame.size();
  return true;
}

void write_queue::push_heartbeat(std::string_view frame) {
  if (heartbeat_.empty()) heartbeat_ = frame;
}

bool write_queue::pop(std::string& out) {
  if (out.capacity() <= kept_capacity) {
    out.clear();
    spare_ = std::move(out);
  }
  out.clear();
  if (!heartbeat_.empty()) {
    out = std::exchange(heartbeat_, {});
    return true;
  }
  if (chunks_.empty()) return false;
  out = std::move(chunks_.front());
  chunks_.pop_front();
  size_ -= out.size();
  return true;
}

}  // namespace flock::internal
