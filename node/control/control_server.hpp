#pragma once

#include "node/control/control_api.hpp"
#include <flock/clock.hpp>
#include <flock/error.hpp>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace flock {

struct control_server_options {
  std::string socket;
  std::string group = "flock";  ///< whose members may use it, if there is such a group

  std::size_t connections = 256;    ///< beyond it the one that is idle for longest is closed
  milliseconds patience{30'000};    ///< for a request to come in as a whole, and for a response to be taken
  milliseconds heartbeat{15'000};   ///< a comment for those who follow events
  std::size_t headers = 16 * 1024;  ///< bytes

  /// One line for the log: level ("warning", "info", "debug") and text.
  std::function<void(std::string_view level, const std::string& text)> log;
};

/// The control API on a Unix socket, on one thread of its own. Whatever clients do, it stays within its bounds, and
/// those who behave are answered.
class control_server {
 public:
  /// The socket's mode is 0660. A socket that nobody answers on is replaced.
  /// Errors: conflict (somebody answers on it: another flockd), bad_argument (no path of a socket), io
  static result<std::unique_ptr<control_server>> start(control_server_options o, const control_api& api);

  /// Closes all connections and removes the socket. The API is not asked afterwards; answers that it still gives are
  /// dropped.
  ~control_server();
  control_server(const control_server&) = delete;
  control_server& operator=(const control_server&) = delete;

 private:
  class impl;
  explicit control_server(std::unique_ptr<impl> i);

  std::unique_ptr<impl> impl_;
};

}  // namespace flock
