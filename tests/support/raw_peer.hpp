#pragma once

#include "libflock/seams/message.hpp"
#include "libflock/tls/frame.hpp"
#include "libflock/tls/tls_session.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace flock::testing {

/// A client that says whatever it is told to, or nothing: what attackers and broken nodes do. Each wait has a deadline.
class raw_peer {
 public:
  /// Connects over TCP. \param context  null for no TLS
  raw_peer(const std::string& address, std::shared_ptr<const internal::tls_context> context);
  ~raw_peer();
  raw_peer(const raw_peer&) = delete;
  raw_peer& operator=(const raw_peer&) = delete;

  /// \returns whether TLS is through on this side; the other one may think otherwise
  bool handshake();

  void send_bytes(std::string_view bytes);
  void send(const message& m);

  /// The next message; nothing if the other side closed, or said nothing for five seconds.
  std::optional<message> receive();
  /// Reads until the other side closes. \returns whether it did
  bool is_closed_within(std::chrono::milliseconds limit);

 private:
  bool read_more(std::chrono::steady_clock::time_point until);
  result<std::string_view> unseal();
  void write_pending();

  int socket_;
  bool closed_ = false;
  internal::tls_session session_;
  internal::frame_decoder decoder_{1 << 20};
  std::string wire_, plain_;
};

}  // namespace flock::testing
