#include "tests/chaos/witness.hpp"

#include "tools/client/control_client.hpp"
#include <flock/value.hpp>

#include <chrono>

namespace flock::chaos {

namespace {

// How long a stream may be quiet before this looks whether it is to stop.
constexpr milliseconds look{300};

}  // namespace

witness::witness(const std::map<std::string, std::string>& sockets) {
  for (const auto& [node, socket] : sockets)
    threads_.emplace_back([this, node = node, socket = socket] { listen(node, socket); });
}

witness::~witness() {
  stopping_ = true;
  for (auto& t : threads_) t.join();
}

void witness::listen(const std::string& node, const std::string& socket) {
  const control_client client(socket);
  std::string last;
  while (!stopping_) {
    const auto next = [&](const server_sent_event& e) {
      if (!e.id.empty()) last = e.id;
      hear(node, e.data);
      return !stopping_;
    };
    const auto ended = client.follow("/v1/events", last, system_clock().now() + look, next);
    if (!ended && ended.error().code == error_code::timeout) continue;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));  // it is not there at present
  }
}

void witness::hear(const std::string& node, const std::string& event) {
  const auto read = from_json(event);
  if (!read) return;
  const auto* type = (*read)["type"].as_text();
  const auto* peer = (*read)["peer"].as_text();
  if (!type || !peer) return;
  const std::lock_guard lock(mutex_);
  words_.push_back({node, *type, *peer});
}

std::vector<witness::word> witness::words() const {
  const std::lock_guard lock(mutex_);
  return words_;
}

void witness::forget() {
  const std::lock_guard lock(mutex_);
  words_.clear();
}

}  // namespace flock::chaos
