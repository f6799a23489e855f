#include "node/control/control_server_connection.hpp"

#include <boost/asio/write.hpp>

#include <poll.h>

namespace flock {
namespace {

namespace http = boost::beast::http;

// After the last response of a connection: time for its client to read it, and what it may send meanwhile.
constexpr milliseconds farewell{2'000};
constexpr std::size_t farewell_bytes = 16 << 20;

}  // namespace

control_connection::control_connection(server& s, unix_socket::socket socket)
    : server_(s), stream_(std::move(socket)), heartbeat_(stream_.get_executor()), buffer_(2 * s.options.headers) {}

void control_connection::start() {
  idle_since_ = ++server_.idle_times;
  read();
}

void control_connection::read() {
  parser_.emplace();
  parser_->header_limit(static_cast<std::uint32_t>(server_.options.headers));
  parser_->body_limit(control_limits::body);
  stream_.expires_after(server_.options.patience);
  http::async_read(stream_, buffer_, *parser_,
                   [self = shared_from_this()](io_status ec, std::size_t) { self->on_read(ec); });
}

void control_connection::on_read(io_status ec) {
  if (closed_) return;
  if (!ec) return ask();
  if (ec == http::error::body_limit) return fail(413, {error_code::bad_argument, "a body of more than 1 MiB"});
  if (ec == http::error::header_limit || ec == http::error::buffer_overflow)
    return fail(431, {error_code::bad_argument, "headers that are too long"});
  const bool ended = ec == http::error::end_of_stream || ec == http::error::partial_message;
  if (ended || ec.category() != http::make_error_code(http::error::end_of_stream).category()) return close();
  fail(400, {error_code::protocol, "no HTTP/1.1 request: " + ec.message()});
}

void control_connection::ask() {
  const auto& message = parser_->get();
  control_request request{.method = std::string(message.method_string()),
                          .target = std::string(message.target()),
                          .last_event_id = std::string(message["Last-Event-ID"]),
                          .body = message.body()};
  idle_since_.reset();
  waiting_ = true;
  // Whoever is asked may keep `done` for longer than there is a server, and call it on any thread.
  auto done = [entrance = server_.entrance, weak = weak_from_this(), number = ++questions_](control_response response) {
    entrance->post([weak, number, response = std::move(response)]() mutable {
      const auto self = weak.lock();
      if (self && self->waiting_ && number == self->questions_) self->answer(std::move(response));
    });
  };
  watch();
  server_.handle(request, done);
}

// A client that goes away while it waits for an answer must not hold its place.
void control_connection::watch() {
  stream_.socket().async_wait(unix_socket::socket::wait_read, [self = shared_from_this()](io_status ec) {
    if (ec || self->closed_ || !(self->waiting_ || self->events_)) return;
    pollfd socket{self->stream_.socket().native_handle(), 0, 0};
    const bool gone = ::poll(&socket, 1, 0) == 1 && (socket.revents & POLLHUP) != 0;
    if (gone) self->close();  // else it has sent more, or will send no more
  });
}

void control_connection::fail(int status, const error& why) {
  auto response = control_failure(status, why, {});
  parser_.emplace();  // of which nothing was read: the connection ends after the answer
  parser_->get().keep_alive(false);
  answer(std::move(response));
}

void control_connection::answer(control_response response) {
  if (closed_) return;
  waiting_ = false;
  idle_since_.reset();
  events_ = std::move(response.events);
  const bool keep_alive = !events_ && parser_->get().keep_alive();
  response_ = {static_cast<http::status>(response.status), 11};
  response_.set(http::field::content_type, response.content_type);
  if (!response.allow.empty()) response_.set(http::field::allow, response.allow);
  response_.keep_alive(keep_alive);
  response_.body() = std::move(response.body);
  if (!events_) response_.prepare_payload();  // those who follow events read until the end
  stream_.expires_after(server_.options.patience);
  http::async_write(stream_, response_, [self = shared_from_this(), keep_alive](io_status ec, std::size_t) {
    if (ec) return self->close();
    self->on_answered(keep_alive);
  });
}

void control_connection::on_answered(bool keep_alive) {
  if (closed_) return;
  response_ = {};
  if (events_) return follow();
  idle_since_ = ++server_.idle_times;
  if (keep_alive)
    read();
  else
    say_goodbye();
}

void control_connection::follow() {
  watch();
  beat();
  events_->on_ready([entrance = server_.entrance, weak = weak_from_this()] {
    entrance->post([weak] {
      if (const auto self = weak.lock()) self->flush();
    });
  });
}

void control_connection::flush() {
  if (closed_ || !outgoing_.empty()) return;
  auto text = events_->take();
  if (!text) {
    server_.options.log("info", "a client that follows events reads too slowly and was disconnected");
    return close();
  }
  if (!text->empty())
    write(*std::move(text));
  else if (events_->is_finished())
    say_goodbye();
}

void control_connection::write(std::string text) {
  outgoing_ = std::move(text);
  stream_.expires_after(server_.options.patience);
  boost::asio::async_write(stream_, boost::asio::buffer(outgoing_),
                           [self = shared_from_this()](io_status ec, std::size_t) {
                             if (ec) return self->close();
                             self->outgoing_.clear();
                             self->flush();
                           });
}

void control_connection::beat() {
  heartbeat_.expires_after(server_.options.heartbeat);
  heartbeat_.async_wait([weak = weak_from_this()](io_status ec) {
    const auto self = weak.lock();
    if (ec || !self || self->closed_) return;
    if (self->outgoing_.empty()) self->write(":\n\n");
    self->beat();
  });
}

// A socket that is closed with unread bytes in it takes the response with it.
void control_connection::say_goodbye() {
  io_status ignored;
  stream_.socket().shutdown(unix_socket::socket::shutdown_send, ignored);
  stream_.expires_after(farewell);
  discard(farewell_bytes);
}

void control_connection::discard(std::size_t left) {
  buffer_.clear();
  stream_.async_read_some(buffer_.prepare(buffer_.max_size()),
                          [self = shared_from_this(), left](io_status ec, std::size_t size) {
                            if (ec || size >= left) return self->close();
                            self->discard(left - size);
                          });
}

void control_connection::close() {
  if (std::exchange(closed_, true)) return;
  heartbeat_.cancel();
  if (events_) events_->close();
  stream_.close();
  server_.closed(shared_from_this());
}

}  // namespace flock
