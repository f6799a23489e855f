#pragma once

#include "libflock/tls/name_lookup.hpp"
#include <flock/error.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <string>

namespace flock::internal {

/// Listens, and hands out the sockets of those who come.
class acceptor {
 public:
  using handler = std::function<void(boost::asio::ip::tcp::socket)>;
  using log = std::function<void(const std::string&)>;

  acceptor(boost::asio::io_context& io, handler each, log warn);

  /// \returns the bound "host:port". Errors: io
  result<std::string> listen(const boost::asio::ip::tcp::endpoint& where);
  void close();

 private:
  void accept();
  void pause(const boost::system::error_code& why);

  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::steady_timer timer_;
  handler each_;
  log warn_;
  bool short_of_ = false;  ///< descriptors or memory, since the last one that was accepted
};

}  // namespace flock::internal
