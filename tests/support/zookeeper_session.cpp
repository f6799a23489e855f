#include "tests/support/zookeeper_session.hpp"

#include <chrono>
#include <sstream>
#include <string_view>
#include <thread>

namespace flock::testing {

namespace {

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

result<bool> has(const zookeeper_answers& server, std::uint64_t session) {
  std::ostringstream id;
  id << "0x" << std::hex << session;
  const auto all = server("dump");
  if (!all) return all.error();
  return all->find(id.str()) != std::string::npos;
}

/// Whether the answer to a ConnectRequest says that there is no such session: its time-out is 0. A server may go on
/// listing one that its client asked for while it ended.
bool is_refusal(std::string_view answer) {
  constexpr std::size_t time_out = 8;  // behind the length and the protocol's version
  return answer.size() >= time_out + 4 && answer.substr(time_out, 4) == std::string_view("\0\0\0\0", 4);
}

}  // namespace

result<void> end_session(const zookeeper_answers& server, std::uint64_t session) {
  // A ConnectRequest: protocol, last transaction seen, time-out, session, password; then closeSession, in one write.
  // Its own client takes the session back as soon as it notices, and sometimes it is quicker.
  const auto connect = number<std::int32_t>(0) + number<std::int64_t>(0) + number<std::int32_t>(10'000) +
                       number(session) + number<std::int32_t>(16) + password(session);
  constexpr std::int32_t close_session = -11;
  const auto close = number<std::int32_t>(1) + number(close_session);
  constexpr int tries = 1000;
  for (int i = 0; i < tries; ++i) {
    const auto there = has(server, session);
    if (!there) return there.error();
    if (!*there) return {};
    const auto answer = server(frame(connect) + frame(close));
    if (answer && is_refusal(*answer)) return {};
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return error{error_code::timeout, "the session does not end"};
}

}  // namespace flock::testing
