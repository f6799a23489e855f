#pragma once

#include "tools/client/server_sent_events.hpp"
#include <flock/clock.hpp>
#include <flock/error.hpp>

#include <functional>
#include <string>
#include <string_view>

namespace flock {

/// What flockd answered; see docs/control_api.md.
struct control_reply {
  int status = 0;
  std::string body;

  friend bool operator==(const control_reply&, const control_reply&) = default;
};

/// Talks to the control socket of a flockd. Blocks; every request has a connection and a deadline of its own, so one
/// client may be used by many threads.
///
/// Errors of all: unreachable (nobody listens at the socket), refused (it may not be opened by this user), timeout
/// (surely not done), maybe_done (a POST was sent and no reply came), bad_argument (no such path is possible), io,
/// protocol. A reply that tells of an error is a reply.
class control_client {
 public:
  explicit control_client(std::string socket) : socket_(std::move(socket)) {}

  const std::string& socket() const { return socket_; }

  /// \param target  path and query, percent-encoded: "/v1/ping/bender1?timeout=2s"
  result<control_reply> get(std::string_view target, time_point until) const;
  /// \param body  JSON
  result<control_reply> post(std::string_view target, std::string_view body, time_point until) const;

  /// Reads server-sent events until `next` returns false.
  ///
  /// \param after  the id of the last event that was seen, or empty
  /// \returns the reply: without a body if `next` ended it, else one that is no stream of events
  /// Errors also: down (the stream ended, or was silent for longer than max_silence)
  result<control_reply> follow(std::string_view target, std::string_view after, time_point until,
                               const std::function<bool(const server_sent_event&)>& next) const;

  /// A reply that is longer is an error: twenty times what a flock of 10,000 nodes answers.
  static constexpr std::size_t max_body = 256 << 20;
  /// Three of flockd's heartbeats.
  static constexpr milliseconds max_silence{45'000};

 private:
  std::string socket_;
};

}  // namespace flock
