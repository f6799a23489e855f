#include "tools/client/control_client.hpp"

#include "tools/client/http_reply.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace flock {
namespace {

std::string reason(int number) { return std::generic_category().message(number); }

// One connection to the socket. Every operation ends by a deadline.
class connection {
 public:
  connection() : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}
  ~connection() {
    if (fd_ >= 0) ::close(fd_);
  }
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  result<void> open(const std::string& path, time_point until) {
    sockaddr_un where{};
    where.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof(where.sun_path))
      return error{error_code::bad_argument, "no path of a socket (1 to 107 bytes): \"" + path + "\""};
    std::memcpy(where.sun_path, path.c_str(), path.size() + 1);
    if (fd_ < 0) return error{error_code::io, reason(errno)};
    if (!limit(SO_SNDTIMEO, until)) return error{error_code::timeout, path + ": no time left to connect"};
    while (::connect(fd_, reinterpret_cast<const sockaddr*>(&where), sizeof(where)) != 0) {
      if (errno == EINTR) continue;
      return why_not_open(path, errno);
    }
    return {};
  }

  /// \returns false if the deadline passed. The other side may have closed: it then has said why, for receive() to
  /// read.
  result<bool> send(std::string_view bytes, time_point until) {
    while (!bytes.empty()) {
      if (!limit(SO_SNDTIMEO, until)) return false;
      const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent >= 0) {
        bytes.remove_prefix(static_cast<std::size_t>(sent));
      } else if (errno == EPIPE || errno == ECONNRESET) {
        return true;
      } else if (errno != EINTR && errno != EAGAIN) {
        return error{error_code::io, "cannot send: " + reason(errno)};
      }
    }
    return true;
  }

  enum class received : std::uint8_t { bytes, end, nothing };

  /// Replaces `bytes`; nothing came by the deadline if it says so.
  result<received> receive(std::string& bytes, time_point until) {
    while (limit(SO_RCVTIMEO, until)) {
      std::array<char, 64 * 1024> buffer;
      const auto size = ::recv(fd_, buffer.data(), buffer.size(), 0);
      if (size == 0 || (size < 0 && errno == ECONNRESET)) return received::end;
      if (size > 0) {
        bytes.assign(buffer.data(), static_cast<std::size_t>(size));
        return received::bytes;
      }
      if (errno != EINTR && errno != EAGAIN) return error{error_code::io, "cannot receive: " + reason(errno)};
    }
    return received::nothing;
  }

 private:
  // The system's own time-out for the next operation. \returns false if no time is left
  bool limit(int option, time_point until) {
    const auto left = std::chrono::duration_cast<std::chrono::microseconds>(until - system_clock().now());
    if (left.count() <= 0) return false;
    timeval t{};
    t.tv_sec = static_cast<time_t>(left.count() / 1'000'000);
    t.tv_usec = static_cast<suseconds_t>(left.count() % 1'000'000);
    return ::setsockopt(fd_, SOL_SOCKET, option, &t, sizeof(t)) == 0;
  }

  static error why_not_open(const std::string& path, int number) {
    if (number == EACCES || number == EPERM) return {error_code::refused, path + ": " + reason(number)};
    // A full backlog shows as EAGAIN once SO_SNDTIMEO is over.
    if (number == EAGAIN) return {error_code::timeout, path + ": it does not accept connections"};
    return {error_code::unreachable, path + ": " + reason(number)};
  }

  int fd_;
};

struct request {
  std::string_view method;
  std::string_view target;
  std::string headers;
  std::string_view body;

  std::string text() const {
    std::string text(method);
    text.append(" ").append(target).append(" HTTP/1.1\r\nHost: flockd\r\nConnection: close\r\n").append(headers);
    if (method == "POST") {
      text.append("Content-Type: application/json\r\nContent-Length: ").append(std::to_string(body.size()));
      text.append("\r\n");
    }
    return text.append("\r\n").append(body);
  }

  // Once it is out: a POST may have been done, a GET does nothing.
  error unanswered(std::string_view why) const {
    std::string what(method);
    what.append(" ").append(target).append(": ").append(why);
    return {method == "POST" ? error_code::maybe_done : error_code::timeout, std::move(what)};
  }
};

constexpr std::string_view too_late = "no reply by the deadline";

result<void> send_request(connection& to, const std::string& socket, const request& what, time_point until) {
  if (auto opened = to.open(socket, until); !opened) return opened.error();
  const auto sent = to.send(what.text(), until);
  if (!sent) return sent.error();
  if (!*sent) return error{error_code::timeout, socket + ": it does not read the request"};
  return {};
}

result<control_reply> exchange(const std::string& socket, const request& what, time_point until) {
  connection flockd;
  if (auto sent = send_request(flockd, socket, what, until); !sent) return sent.error();
  http_reply reply;
  std::string bytes, body;
  while (!reply.complete()) {
    const auto got = flockd.receive(bytes, until);
    if (!got) return got.error();
    if (*got == connection::received::nothing) return what.unanswered(too_late);
    if (*got == connection::received::end && reply.status() == 0)
      return what.unanswered("flockd closed the connection");
    const auto read = *got == connection::received::end ? reply.end() : reply.feed(bytes, body);
    if (!read) return read.error().within(what.target);
    if (body.size() > control_client::max_body)
      return error{error_code::protocol, std::string(what.target) + ": the reply is too long"};
  }
  return control_reply{reply.status(), std::move(body)};
}

}  // namespace

result<control_reply> control_client::get(std::string_view target, time_point until) const {
  return exchange(socket_, {.method = "GET", .target = target}, until);
}

result<control_reply> control_client::post(std::string_view target, std::string_view body, time_point until) const {
  return exchange(socket_, {.method = "POST", .target = target, .body = body}, until);
}

result<control_reply> control_client::follow(std::string_view target, std::string_view after, time_point until,
                                             const std::function<bool(const server_sent_event&)>& next) const {
  request what{.method = "GET", .target = target, .headers = "Accept: text/event-stream\r\n"};
  if (!after.empty()) what.headers.append("Last-Event-ID: ").append(after).append("\r\n");
  connection flockd;
  if (auto sent = send_request(flockd, socket_, what, until); !sent) return sent.error();
  http_reply reply;
  server_sent_events events;
  std::string bytes, body;
  while (!reply.complete()) {
    const auto patience = std::min(until, system_clock().now() + max_silence);
    const auto got = flockd.receive(bytes, patience);
    if (!got) return got.error();
    if (*got == connection::received::nothing)
      return patience == until ? what.unanswered(too_late) : error{error_code::down, socket_ + ": it fell silent"};
    const auto read = *got == connection::received::end ? reply.end() : reply.feed(bytes, body);
    if (!read) return error{error_code::down, socket_ + ": the stream of events was cut"};
    if (reply.status() != 200) continue;
    for (const auto& event : events.feed(std::exchange(body, {})))
      if (!next(event)) return control_reply{reply.status(), {}};
    if (events.waiting() > control_client::max_body)
      return error{error_code::protocol, std::string(target) + ": an event is too long"};
  }
  if (reply.status() == 200) return error{error_code::down, socket_ + ": the stream of events ended"};
  return control_reply{reply.status(), std::move(body)};
}

}  // namespace flock
