#include "tools/bench/tcp_floor.hpp"

#include "tools/bench/stopwatch.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace flock::bench {

namespace {

constexpr int patience_ms = 30'000;

error system_error(const std::string& what) { return {error_code::io, what + ": " + std::strerror(errno)}; }

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  at.sin_port = htons(port);
  return at;
}

void set_no_delay(int fd) {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

result<tcp_socket> listen_anywhere() {
  tcp_socket s(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const auto at = loopback(0);
  if (s.get() < 0 || ::bind(s.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0 ||
      ::listen(s.get(), 1) != 0)
    return system_error("cannot listen on the loopback");
  return s;
}

std::uint16_t port_of(const tcp_socket& s) {
  sockaddr_in at{};
  socklen_t size = sizeof at;
  ::getsockname(s.get(), reinterpret_cast<sockaddr*>(&at), &size);
  return ntohs(at.sin_port);
}

result<tcp_socket> accept(const tcp_socket& listening) {
  pollfd ready{listening.get(), POLLIN, 0};
  if (::poll(&ready, 1, patience_ms) != 1) return error{error_code::io, "a process of the floor does not start"};
  tcp_socket s(::accept4(listening.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (s.get() < 0) return system_error("accept");
  set_no_delay(s.get());
  return s;
}

result<tcp_socket> connect(std::uint16_t port) {
  tcp_socket s(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const auto at = loopback(port);
  if (s.get() < 0 || ::connect(s.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0)
    return system_error("cannot connect to port " + std::to_string(port));
  set_no_delay(s.get());
  return s;
}

// The roles' arguments: the port of this program, and bytes of a message.

template <class F> int with_socket(const std::vector<std::string>& arguments, F play) {
  auto s = connect(static_cast<std::uint16_t>(std::stoi(arguments.at(0))));
  if (!s) return failed(s.error());
  play(*s, static_cast<std::size_t>(std::stoul(arguments.at(1))));
  return 0;  // the other end is gone: that is how it is meant to end
}

int play_echo(const std::vector<std::string>& arguments) {
  return with_socket(arguments, [](const tcp_socket& s, std::size_t bytes) {
    std::vector<char> message(bytes);
    while (s.read(message.data(), bytes) && s.write(message.data(), bytes)) continue;
  });
}

/// Each flow begins with its size in bytes.
int play_sink(const std::vector<std::string>& arguments) {
  return with_socket(arguments, [](const tcp_socket& s, std::size_t) {
    std::vector<char> buffer(64 << 10);
    std::uint64_t left = 0;
    while (s.read(&left, sizeof left)) {
      while (left > 0) {
        const auto got = ::read(s.get(), buffer.data(), std::min<std::uint64_t>(left, buffer.size()));
        if (got <= 0) return;
        left -= static_cast<std::uint64_t>(got);
      }
      if (!s.write("", 1)) return;
    }
  });
}

int play_idle(const std::vector<std::string>& arguments) {
  return with_socket(arguments, [](const tcp_socket& s, std::size_t) {
    char byte = 0;
    [[maybe_unused]] auto gone = s.read(&byte, 1);
  });
}

}  // namespace

tcp_socket::tcp_socket(tcp_socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

tcp_socket& tcp_socket::operator=(tcp_socket&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

tcp_socket::~tcp_socket() {
  if (fd_ >= 0) ::close(fd_);
}

result<void> tcp_socket::write(const void* data, std::size_t bytes) const {
  const auto* at = static_cast<const char*>(data);
  while (bytes > 0) {
    const auto done = ::send(fd_, at, bytes, MSG_NOSIGNAL);
    if (done <= 0) return system_error("write");
    at += done;
    bytes -= static_cast<std::size_t>(done);
  }
  return {};
}

result<void> tcp_socket::read(void* data, std::size_t bytes) const {
  auto* at = static_cast<char*>(data);
  while (bytes > 0) {
    const auto done = ::read(fd_, at, bytes);
    if (done <= 0) return done == 0 ? error{error_code::io, "the other end is gone"} : system_error("read");
    at += done;
    bytes -= static_cast<std::size_t>(done);
  }
  return {};
}

result<tcp_peer> tcp_peer::start(std::string_view role, const std::string& log, std::size_t bytes) {
  auto listening = listen_anywhere();
  if (!listening) return listening.error();
  auto process = start_role(role, {std::to_string(port_of(*listening)), std::to_string(bytes)}, log);
  if (!process) return process.error();
  auto socket = accept(*listening);
  if (!socket) return socket.error();
  return tcp_peer(*std::move(process), *std::move(socket));
}

result<std::vector<double>> echo_times(const tcp_peer& echo, std::size_t bytes, std::size_t count) {
  std::vector<char> message(bytes, 'x');
  std::vector<double> times;
  times.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const stopwatch time;
    if (auto sent = echo.socket().write(message.data(), bytes); !sent) return sent.error();
    if (auto back = echo.socket().read(message.data(), bytes); !back) return back.error();
    times.push_back(time.microseconds());
  }
  return times;
}

result<double> flow_rate(const tcp_peer& sink, std::size_t bytes, std::size_t count, std::size_t together) {
  const std::vector<char> messages(bytes * together, 'x');
  const std::uint64_t all = bytes * count;
  const stopwatch time;
  if (auto told = sink.socket().write(&all, sizeof all); !told) return told.error();
  for (std::size_t sent = 0; sent < count; sent += together) {
    const auto now = bytes * std::min(together, count - sent);
    if (auto written = sink.socket().write(messages.data(), now); !written) return written.error();
  }
  char confirmed = 0;
  if (auto read = sink.socket().read(&confirmed, 1); !read) return read.error();
  return static_cast<double>(count) / time.seconds();
}

result<std::vector<double>> fanout_times(const std::vector<tcp_peer>& echoes, std::size_t bytes, std::size_t count) {
  std::vector<char> message(bytes, 'x');
  std::vector<pollfd> waiting;
  std::vector<double> times;
  for (std::size_t i = 0; i < count; ++i) {
    const stopwatch time;
    waiting.clear();
    for (const auto& each : echoes) {
      if (auto sent = each.socket().write(message.data(), bytes); !sent) return sent.error();
      waiting.push_back({each.socket().get(), POLLIN, 0});
    }
    while (!waiting.empty()) {
      if (::poll(waiting.data(), waiting.size(), patience_ms) < 1)
        return error{error_code::io, "an echo does not answer"};
      // A few bytes arrive together or not at all, so whoever is readable has answered.
      std::erase_if(waiting, [&](const pollfd& p) {
        return p.revents != 0 && ::read(p.fd, message.data(), bytes) == static_cast<ssize_t>(bytes);
      });
    }
    times.push_back(time.microseconds());
  }
  return times;
}

const std::vector<role>& tcp_roles() {
  static const std::vector<role> all{{"tcp_echo", play_echo}, {"tcp_sink", play_sink}, {"tcp_idle", play_idle}};
  return all;
}

}  // namespace flock::bench
