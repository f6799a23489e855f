#pragma once

#include <flock/error.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>  // Boost 1.74's Asio needs it
#include <vector>

namespace flock::internal {

/// Text form: "host:port", an IPv6 address in brackets: "[::1]:22222".
struct host_port {
  std::string host;
  std::uint16_t port = 0;

  /// Errors: bad_argument
  static result<host_port> parse(std::string_view text);
};

/// In the form of host_port.
std::string to_text(const boost::asio::ip::tcp::endpoint& e);

using endpoints = std::vector<boost::asio::ip::tcp::endpoint>;

/// Blocks while a name server is asked, if `address` holds a name. Errors: bad_argument, unreachable (no such host)
result<endpoints> look_up(const std::string& address);

/// Looks up without waiting. Every name that must be asked for has a thread of its own: Asio's resolver has one for
/// all, and would let one slow name server delay every other name, and the end of the program.
class name_lookup {
 public:
  using callback = std::function<void(result<endpoints>)>;

  explicit name_lookup(boost::asio::io_context& io);
  ~name_lookup();
  name_lookup(const name_lookup&) = delete;
  name_lookup& operator=(const name_lookup&) = delete;

  /// Answers through `io`; never after this object's end.
  /// Errors: as look_up(); unreachable if too many wait already
  void start(const std::string& address, callback done);

  static constexpr int at_once = 16;

 private:
  struct shared;
  std::shared_ptr<shared> shared_;
};

}  // namespace flock::internal
