#include "tests/support/raw_peer.hpp"

#include <array>
#include <netinet/in.h>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

namespace flock::testing {

namespace {

constexpr std::chrono::seconds patience{5};

int connect_to(const std::string& address) {
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  where.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) throw std::runtime_error("no socket");
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&where), sizeof where) != 0) {
    ::close(fd);
    throw std::runtime_error("cannot connect to " + address);
  }
  return fd;
}

}  // namespace

raw_peer::raw_peer(const std::string& address, std::shared_ptr<const internal::tls_context> context)
    : socket_(connect_to(address)), session_(std::move(context), internal::tls_role::dialler) {}

raw_peer::~raw_peer() { ::close(socket_); }

bool raw_peer::handshake() {
  if (!session_.start()) return false;
  write_pending();
  const auto until = std::chrono::steady_clock::now() + patience;
  while (!session_.established())
    if (!read_more(until) || !unseal()) return false;
  write_pending();
  return true;
}

void raw_peer::send_bytes(std::string_view bytes) {
  if (session_.write(bytes)) write_pending();
}

void raw_peer::send(const message& m) {
  std::string frame;
  internal::append_frame(m, frame);
  send_bytes(frame);
}

std::optional<message> raw_peer::receive() {
  const auto until = std::chrono::steady_clock::now() + patience;
  for (;;) {
    auto frame = decoder_.next();
    if (!frame) return std::nullopt;
    if (*frame) {
      auto m = decode_message(**frame);
      return m ? std::optional(*std::move(m)) : std::nullopt;
    }
    auto data = unseal();
    if (!data) return std::nullopt;
    if (!data->empty()) {
      decoder_.feed(*data);
      continue;
    }
    if (!read_more(until)) return std::nullopt;
  }
}

bool raw_peer::is_closed_within(std::chrono::milliseconds limit) {
  const auto until = std::chrono::steady_clock::now() + limit;
  while (read_more(until)) {
  }
  return closed_;
}

bool raw_peer::read_more(std::chrono::steady_clock::time_point until) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
  pollfd waiting{socket_, POLLIN, 0};
  if (left.count() <= 0 || ::poll(&waiting, 1, static_cast<int>(left.count())) <= 0) return false;
  wire_.resize(64 << 10);
  const auto got = ::recv(socket_, wire_.data(), wire_.size(), 0);
  closed_ = got <= 0;
  if (closed_) return false;
  wire_.resize(static_cast<std::size_t>(got));
  session_.arrived(wire_);
  return true;
}

// Idle ones, of which there may be many, have no buffer.
result<std::string_view> raw_peer::unseal() {
  plain_.resize(64 << 10);
  return session_.read(plain_);
}

void raw_peer::write_pending() {
  while (!session_.pending().empty()) {
    const auto sent = ::send(socket_, session_.pending().data(), session_.pending().size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    session_.sent(static_cast<std::size_t>(sent));
  }
}

}  // namespace flock::testing
