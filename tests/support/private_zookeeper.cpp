#include "tests/support/private_zookeeper.hpp"

#include <ios>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <utility>

namespace flock::testing {

namespace {

constexpr milliseconds patience{30'000};

template <class T> T require(result<T> r) {
  if (!r) throw std::runtime_error(to_string(r.error()));
  return std::move(*r);
}

void require(const result<void>& r) {
  if (!r) throw std::runtime_error(to_string(r.error()));
}

/// As ZooKeeper writes integers: big endian.
template <class Integer> std::string number(Integer n) {
  std::string bytes;
  for (int shift = sizeof n * 8 - 8; shift >= 0; shift -= 8)
    bytes.push_back(static_cast<char>(static_cast<std::uint64_t>(n) >> shift & 0xff));
  return bytes;
}

std::string frame(const std::string& body) { return number(static_cast<std::int32_t>(body.size())) + body; }

/// A session's password is java.util.Random's first 16 bytes from a seed of the session's id (ZooKeeperServer.java,
/// generatePasswd): whoever knows the id can claim the session.
std::string password(std::uint64_t session) {
  constexpr std::uint64_t server_secret = 0xB3415C00, multiplier = 0x5DEECE66D, mask = (1ULL << 48) - 1;
  std::uint64_t state = (session ^ server_secret ^ multiplier) & mask;
  std::string bytes;
  while (bytes.size() < 16) {
    state = (state * multiplier + 0xB) & mask;
    for (int shift = 16; shift < 48; shift += 8) bytes.push_back(static_cast<char>(state >> shift & 0xff));
  }
  return bytes;
}

}  // namespace

private_zookeeper::private_zookeeper()
    : server_(require(zookeeper_server::start({folder_.path().string(), zookeeper_server::pick_ports(1)}))) {
  require(server_.wait_until_serving(patience));
}

void private_zookeeper::restart() {
  require(server_.restart());
  require(server_.wait_until_serving(patience));
}

void private_zookeeper::expire(std::uint64_t session) {
  // A ConnectRequest: protocol, last transaction seen, time-out, session, password; then closeSession, in one write.
  // Its own client takes the session back as soon as it notices, and sometimes it is quicker.
  auto connect = number<std::int32_t>(0) + number<std::int64_t>(0) + number<std::int32_t>(10'000) + number(session) +
                 number<std::int32_t>(16) + password(session);
  constexpr std::int32_t close_session = -11;
  auto close = number<std::int32_t>(1) + number(close_session);
  for (int tries = 0; tries < 1000 && has(session); ++tries) {
    [[maybe_unused]] auto answer = zookeeper_server::ask(server_.port(), frame(connect) + frame(close));
    std::this_thread::sleep_for(milliseconds(5));
  }
  if (has(session)) throw std::runtime_error("the session does not end");
}

bool private_zookeeper::has(std::uint64_t session) const {
  std::ostringstream id;
  id << "0x" << std::hex << session;
  return require(zookeeper_server::ask(server_.port(), "dump", patience)).find(id.str()) != std::string::npos;
}

}  // namespace flock::testing
