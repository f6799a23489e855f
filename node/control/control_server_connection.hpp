#pragma once

#include "node/control/control_api.hpp"
#include "node/control/control_server.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace flock {

/// How answers come in from other threads, until the server goes.
class control_entrance {
 public:
  explicit control_entrance(boost::asio::io_context& io) : io_(&io) {}

  template <class Job> void post(Job job) {
    std::lock_guard lock(mutex_);
    if (io_) boost::asio::post(*io_, std::move(job));
  }
  void shut() {
    std::lock_guard lock(mutex_);
    io_ = nullptr;
  }

 private:
  std::mutex mutex_;  // guards io_
  boost::asio::io_context* io_;
};

/// One client of the control server. Lives on the server's thread; what it waits for holds it, and the server does.
class control_connection : public std::enable_shared_from_this<control_connection> {
 public:
  using unix_socket = boost::asio::local::stream_protocol;
  using answered = std::function<void(control_response)>;

  /// What it needs of the server.
  struct server {
    const control_server_options& options;
    std::shared_ptr<control_entrance> entrance;
    std::function<void(const control_request&, answered)> handle;
    std::function<void(const std::shared_ptr<control_connection>&)> closed;
    std::uint64_t idle_times = 0;  ///< how often any connection fell idle
  };

  control_connection(server& s, unix_socket::socket socket);

  void start();
  /// Since when it has not been asking for anything, in idle_times; nothing if it is.
  std::optional<std::uint64_t> idle_since() const { return idle_since_; }
  void close();

 private:
  using io_status = boost::system::error_code;

  void read();
  void on_read(io_status ec);
  void ask();
  void watch();
  void fail(int status, const error& why);
  void answer(control_response response);
  void on_answered(bool keep_alive);
  void follow();
  void flush();
  void write(std::string text);
  void beat();
  void say_goodbye();
  void discard(std::size_t left);

  server& server_;
  boost::beast::basic_stream<unix_socket> stream_;
  boost::asio::steady_timer heartbeat_;
  boost::beast::flat_buffer buffer_;
  std::optional<boost::beast::http::request_parser<boost::beast::http::string_body>> parser_;
  boost::beast::http::response<boost::beast::http::string_body> response_;
  std::optional<std::uint64_t> idle_since_;
  std::uint64_t questions_ = 0;
  bool waiting_ = false;  // for the answer to the last of them
  std::shared_ptr<event_stream> events_;
  std::string outgoing_;  // what of them is being written
  bool closed_ = false;
};

}  // namespace flock
