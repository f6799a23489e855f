#pragma once

#include "libflock/delivery/event_log.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace flock {

/// As one server-sent event.
std::string to_server_sent_event(const event& e);

/// What one follower is told as it happens, events, the notifications for a Chef run, what a method yields: whoever
/// tells fills it, the server empties it. Bounded: a follower that does not read fast enough loses its connection, and
/// nobody else anything.
class event_stream {
 public:
  static constexpr std::size_t max_bytes = 1 << 20;

  event_stream() = default;
  /// Stops following.
  ~event_stream() { close(); }
  event_stream(const event_stream&) = delete;
  event_stream& operator=(const event_stream&) = delete;

  // The side of whoever tells, on any thread.

  /// What is destroyed when nobody follows any more.
  void keep(std::shared_ptr<void> handle);
  void push(const event& e) { push(to_server_sent_event(e)); }
  /// A whole server-sent event.
  void push(std::string text);
  /// The last one: the connection ends behind it.
  void finish(std::string text);

  // The server's side.

  /// `ready` is called, on any thread, when there is something to take after there was nothing; at once if there is.
  void on_ready(std::function<void()> ready);
  /// What has come since the last time, maybe nothing. \returns no string if the follower was too slow
  std::optional<std::string> take();
  /// Whether nothing comes any more.
  bool is_finished() const;
  /// Stops following; nothing is called any more once it has returned, but for a `ready` that was under way.
  void close();

 private:
  void add(std::string text, bool is_last);

  mutable std::mutex mutex_;  // guards all below
  std::shared_ptr<void> handle_;
  std::function<void()> ready_;
  std::string bytes_;
  bool overrun_ = false;
  bool finished_ = false;
  bool closed_ = false;
};

}  // namespace flock
