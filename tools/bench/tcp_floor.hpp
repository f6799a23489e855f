#pragma once

#include "tools/bench/stage.hpp"
#include "tools/cluster/child.hpp"
#include <flock/error.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace flock::bench {

/// A connected TCP socket with TCP_NODELAY, blocking.
class tcp_socket {
 public:
  explicit tcp_socket(int fd) : fd_(fd) {}
  tcp_socket(tcp_socket&& other) noexcept;
  tcp_socket& operator=(tcp_socket&& other) noexcept;
  ~tcp_socket();

  int get() const { return fd_; }
  /// All of it. Errors: io (its other end is gone)
  result<void> write(const void* data, std::size_t bytes) const;
  result<void> read(void* data, std::size_t bytes) const;

 private:
  int fd_;
};

/// A process with nothing but a socket, and the other end of that socket: what the machine takes without Flock. The
/// process is connected when it starts to play, so the time of that is a floor, too.
class tcp_peer {
 public:
  /// \param role  "tcp_echo", "tcp_sink" or "tcp_idle". Errors: io
  static result<tcp_peer> start(std::string_view role, const std::string& log, std::size_t bytes = 1);

  const tcp_socket& socket() const { return socket_; }
  testing::child& process() { return process_; }

 private:
  tcp_peer(testing::child process, tcp_socket socket) : process_(std::move(process)), socket_(std::move(socket)) {}

  testing::child process_;
  tcp_socket socket_;
};

/// Microseconds of each of some round trips to a "tcp_echo" of so many bytes. Errors: io
result<std::vector<double>> echo_times(const tcp_peer& echo, std::size_t bytes, std::size_t count);

/// Messages a second to a "tcp_sink" that confirms the last one.
/// \param together  messages in one write. Errors: io
result<double> flow_rate(const tcp_peer& sink, std::size_t bytes, std::size_t count, std::size_t together);

/// Microseconds of each of some rounds: a message to each of many "tcp_echo", until all have answered. Errors: io
result<std::vector<double>> fanout_times(const std::vector<tcp_peer>& echoes, std::size_t bytes, std::size_t count);

const std::vector<role>& tcp_roles();

}  // namespace flock::bench
