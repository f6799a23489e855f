#include "libflock/tls/acceptor.hpp"

#include <boost/asio/error.hpp>

#include <chrono>
#include <utility>

namespace flock::internal {

using boost::asio::ip::tcp;
using boost::system::error_code;

namespace {

// Without descriptors the next attempt would fail at once, and the next, at the full speed of a processor.
constexpr std::chrono::milliseconds when_short{100};

}  // namespace

acceptor::acceptor(boost::asio::io_context& io, handler each, log warn)
    : acceptor_(io), timer_(io), each_(std::move(each)), warn_(std::move(warn)) {}

result<std::string> acceptor::listen(const tcp::endpoint& where) {
  error_code failed;
  acceptor_.open(where.protocol(), failed);
  if (!failed) acceptor_.set_option(tcp::acceptor::reuse_address(true), failed);
  if (!failed) acceptor_.bind(where, failed);
  if (!failed) acceptor_.listen(tcp::acceptor::max_listen_connections, failed);
  const auto bound = failed ? where : acceptor_.local_endpoint(failed);
  if (failed) return error{flock::error_code::io, "cannot listen on " + to_text(where) + ": " + failed.message()};
  accept();
  return to_text(bound);
}

void acceptor::close() {
  error_code ignored;
  acceptor_.close(ignored);
  timer_.cancel(ignored);
}

void acceptor::accept() {
  acceptor_.async_accept([this](const error_code& failed, tcp::socket socket) {
    if (!acceptor_.is_open()) return;
    if (failed && failed != boost::asio::error::connection_aborted) return pause(failed);
    accept();
    if (failed) return;
    short_of_ = false;
    each_(std::move(socket));
  });
}

void acceptor::pause(const error_code& why) {
  if (!std::exchange(short_of_, true)) warn_("cannot accept connections: " + why.message() + "; trying again");
  timer_.expires_after(when_short);
  timer_.async_wait([this](const error_code& stopped) {
    if (!stopped && acceptor_.is_open()) accept();
  });
}

}  // namespace flock::internal
