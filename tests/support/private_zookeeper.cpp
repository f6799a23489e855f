#include "tests/support/private_zookeeper.hpp"

#include <cstdlib>
#include <filesystem>
#include <stdexcept>

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

std::string make_temporary_folder() {
  auto path = (std::filesystem::temp_directory_path() / "flock_zookeeper_XXXXXX").string();
  if (::mkdtemp(path.data()) == nullptr) throw std::runtime_error(path + ": cannot be made");
  return path;
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
    : folder_(make_temporary_folder()),
      server_(require(zookeeper_server::start({folder_, zookeeper_server::pick_ports(1)}))) {
  require(server_.wait_until_serving(patience));
}

private_zookeeper::~private_zookeeper() {
  server_.kill();
  std::filesystem::remove_all(folder_);
}

void private_zookeeper::restart() {
  require(server_.restart());
  require(server_.wait_until_serving(patience));
}

void private_zookeeper::expire(std::uint64_t session) {
  // A ConnectRequest: protocol, last transaction seen, time-out, session, password; then closeSession. In one write,
  // for the session's own client takes it back as soon as it notices.
  auto connect = number<std::int32_t>(0) + number<std::int64_t>(0) + number<std::int32_t>(10'000) + number(session) +
                 number<std::int32_t>(16) + password(session);
  constexpr std::int32_t close_session = -11;
  auto close = number<std::int32_t>(1) + number(close_session);
  require(zookeeper_server::ask(server_.port(), frame(connect) + frame(close), patience));
}

}  // namespace flock::testing
