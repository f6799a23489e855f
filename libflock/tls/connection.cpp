#include "libflock/tls/connection.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <sys/socket.h>
#include <utility>

namespace flock::internal {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

// A hello holds a few names; who has not said it yet is not believed to need more.
constexpr std::size_t hello_limit = 64 << 10;

// For the last words and the peer's end of the connection. Closing while bytes of the peer are unread would make the
// kernel throw away what we said last.
constexpr milliseconds last_words{250};

// One connection must not keep the thread from the others: so many full buffers, then it is their turn.
constexpr int turns = 16;

// After so long without a write the next frame is written by the thread that sends it, which saves a call the way to
// another thread; sooner, it is left to the thread that leads, which gathers those that follow. Twice the time of a
// write.
constexpr std::chrono::microseconds lull{10};

// What follows the bytes before so soon finds the buffers of TLS still there. Making them anew costs less than a
// microsecond, which does not show among messages that are further apart.
constexpr milliseconds dense{1};

const std::string& heartbeat_frame() {
  static const std::string frame = [] {
    std::string f;
    append_frame(message{.kind = message_kind::heartbeat}, f);
    return f;
  }();
  return frame;
}

}  // namespace

connection::connection(shared& common, std::shared_ptr<const tls_context> context, tls_role role)
    : common_(common),
      role_(role),
      socket_(common.io),
      timer_(common.io),
      decoder_(std::min(hello_limit, common.limits.frame)),
      last_received_(clock::now()),
      queue_(common.limits.queue),
      session_(std::move(context), role) {}

connection::~connection() { close_socket(); }

// A handler that keeps the connection alive and lets no exception out: what throws ends this connection only.
template <class F> auto connection::guarded(F f) {
  return [self = shared_from_this(), f = std::move(f)](auto... arguments) {
    try {
      f(arguments...);
    } catch (const std::exception& e) {
      self->close(error{flock::error_code::io, e.what()});
    }
  };
}

void connection::dial(endpoints where) {
  std::reverse(where.begin(), where.end());
  untried_ = std::move(where);
  each_ = common_.limits.handshake / std::max<int>(1, static_cast<int>(untried_.size()));
  connect_next();
}

void connection::connect_next() {
  if (ended_) return;
  if (untried_.empty()) {
    return close(error{flock::error_code::unreachable, last_failure_.empty() ? "no such host" : last_failure_});
  }
  const auto where = untried_.back();
  untried_.pop_back();
  ++tried_;
  remote_ = to_text(where);
  error_code ignored;
  socket_.close(ignored);
  timer_.expires_after(each_);
  timer_.async_wait(guarded([this](const error_code& stopped) {
    error_code closing;
    if (!stopped && !writable_) socket_.close(closing);
  }));
  socket_.async_connect(where, guarded([this](const error_code& failed) {
                          if (ended_) return;
                          if (!failed) return connected();
                          if (failed == asio::error::connection_refused) ++refusals_;
                          last_failure_ = failed == asio::error::connection_refused ? "connection refused by " + remote_
                                          : failed == asio::error::operation_aborted
                                              ? "no answer from " + remote_ + " in " + format_duration(each_)
                                              : remote_ + ": " + failed.message();
                          connect_next();
                        }));
}

void connection::accept(tcp::socket socket) {
  socket_ = std::move(socket);
  counted_ = true;
  ++common_.sockets;
  error_code gone;
  remote_ = to_text(socket_.remote_endpoint(gone));
  connected();
}

void connection::connected() {
  error_code failed;
  socket_.set_option(tcp::no_delay(true), failed);
  socket_.native_non_blocking(true, failed);
  if (failed) return close(error{flock::error_code::io, remote_ + ": " + failed.message()});
  allow(common_.limits.handshake, "no hello");
  last_received_ = clock::now();
  last_sent_ = last_received_;
  auto started = [&] {
    std::lock_guard lock(session_mutex_);
    writable_ = true;
    secured_ = session_.established();
    return role_ == tls_role::dialler ? session_.start() : result<void>();
  }();
  if (!started) return close(started.error());
  if (secured_) common_.to.secured(*this);
  if (ended_) return;
  request_flush();
  read();
}

void connection::allow(milliseconds limit, const char* for_what) {
  timer_.expires_after(limit);
  timer_.async_wait(guarded([this, limit, for_what](const error_code& stopped) {
    if (stopped || kept_since_ || ended_) return;
    close(error{flock::error_code::unreachable, std::string(for_what) + " in " + format_duration(limit)});
  }));
}

void connection::keep() {
  kept_since_ = clock::now();
  decoder_.raise_limit(common_.limits.frame);
  watch();
}

// -- reading

void connection::read() {
  socket_.async_read_some(asio::buffer(small_), guarded([this](const error_code& failed, std::size_t bytes) {
                            if (failed) return read_failed(failed);
                            if (!take({small_.data(), bytes})) return;
                            if (bytes < small_.size() || drain()) read();
                          }));
}

// Takes what has arrived, without waiting. \returns false if the socket has been closed
bool connection::drain() {
  for (int turn = 0; turn < turns && socket_.is_open(); ++turn) {
    const auto got = ::recv(socket_.native_handle(), common_.wire.data(), common_.wire.size(), MSG_DONTWAIT);
    if (got == 0) return read_failed(asio::error::eof), false;
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return true;
    if (got < 0) return read_failed(error_code(errno, boost::system::system_category())), false;
    if (!take({common_.wire.data(), static_cast<std::size_t>(got)})) return false;
    if (static_cast<std::size_t>(got) < common_.wire.size()) return true;
  }
  return socket_.is_open();
}

void connection::read_failed(const error_code& why) {
  if (why == asio::error::operation_aborted) return;
  const bool closed = why == asio::error::eof || why == asio::error::connection_reset;
  close(error{flock::error_code::down, closed ? "connection closed by the peer" : why.message()});
}

// \returns false if the socket has been closed
bool connection::take(std::string_view wire) {
  const auto now = clock::now();
  dense_ = now - std::exchange(last_received_, now) < dense;
  if (ended_) return socket_.is_open();  // only waits for the peer's end
  reading_ = true;
  for (bool more = true; more;) {
    auto plain = unseal(std::exchange(wire, {}), more);
    if (!plain) {
      linger(plain.error());
      break;
    }
    if (!take_frames(*plain) || plain->empty()) break;
  }
  reading_ = false;
  if (!socket_.is_open()) return false;
  if (std::exchange(owes_flush_, false)) request_flush();
  return true;
}

// \param wire  what has arrived since the last time, or nothing
// \param more  becomes whether there is more to read
result<std::string_view> connection::unseal(std::string_view wire, bool& more) {
  const bool before = secured_;
  auto plain = [&] {
    std::lock_guard lock(session_mutex_);
    if (dense_) session_.keep_buffers(true);
    if (!wire.empty()) session_.arrived(wire);
    auto read = session_.read(common_.plain);
    secured_ = session_.established();
    if (!session_.pending().empty()) owes_flush_ = true;
    more = session_.has_more();
    return read;
  }();
  if (!before && secured_) {
    owes_flush_ = true;  // of what has waited for this
    common_.to.secured(*this);
  }
  return plain;
}

// \returns false if the connection has ended
bool connection::take_frames(std::string_view plain) {
  decoder_.feed(plain);
  while (!ended_) {
    auto frame = decoder_.next();
    if (!frame) {
      close(frame.error());
      break;
    }
    if (!*frame) break;
    auto m = decode_message(**frame);
    if (!m) {
      close(m.error());
      break;
    }
    common_.to.received(*this, *std::move(m));
  }
  return !ended_;
}

// -- writing

result<void> connection::send(std::string_view frame) {
  const bool in_a_handler = common_.io.get_executor().running_in_this_thread();
  {
    std::lock_guard lock(queue_mutex_);
    if (!taking_) return error{flock::error_code::unreachable, "the connection has ended"};
    if (!queue_.push(frame))
      return error{flock::error_code::refused, std::to_string(queue_.size()) + " bytes wait already, the limit is " +
                                                   std::to_string(common_.limits.queue)};
    if (in_a_handler && reading_) {
      owes_flush_ = true;  // when all that arrived has been taken
      return {};
    }
    if (std::exchange(flushing_, true)) return {};
  }
  const bool more_may_follow = clock::now() - last_sent_.load() < lull && common_.at_io.is_attended();
  if (in_a_handler || more_may_follow)
    asio::post(common_.io, guarded([this] { flush(); }));
  else
    flush_from(progress::done);
  return {};
}

std::size_t connection::queued() const {
  std::size_t waiting;
  {
    std::lock_guard lock(queue_mutex_);
    waiting = queue_.size();
  }
  std::lock_guard lock(session_mutex_);
  return waiting + session_.pending().size();
}

void connection::send_heartbeat() {
  {
    std::lock_guard lock(queue_mutex_);
    if (taking_) queue_.push_heartbeat(heartbeat_frame());
  }
  request_flush();
}

void connection::request_flush() {
  {
    std::lock_guard lock(queue_mutex_);
    if (std::exchange(flushing_, true)) return;
  }
  flush();
}

// Writes what TLS has to say, or what did not fit before, and all that waits behind it. Only whoever has set flushing_
// may call it.
void connection::flush() {
  const auto begun = [this] {
    std::lock_guard lock(session_mutex_);
    return write_pending();
  }();
  flush_from(begun);
}

// Writes until nothing waits or the socket takes no more.
void connection::flush_from(progress last) {
  for (int turn = 0; turn < turns; ++turn) {
    switch (last) {
      case progress::blocked:
        return wait_until_writable();
      case progress::failed:
        return asio::post(common_.io, guarded([this] { write_failed(); }));
      case progress::spoilt:
        return;
      case progress::done:
        break;
    }
    if (!fetch_chunk()) return;
    last = seal_and_write();
  }
  asio::post(common_.io, guarded([this] { flush(); }));
}

// \returns false if nothing waits; the writing end is then free for others
bool connection::fetch_chunk() {
  bool last = false;
  {
    std::lock_guard lock(queue_mutex_);
    if (secured_ && queue_.pop(chunk_)) return true;
    flushing_ = false;
    last = lingering_;
  }
  if (!last) return false;
  std::lock_guard lock(session_mutex_);
  if (writable_) ::shutdown(socket_.native_handle(), SHUT_WR);
  return false;
}

connection::progress connection::seal_and_write() {
  std::lock_guard lock(session_mutex_);
  return session_.write(chunk_) ? write_pending() : progress::spoilt;
}

connection::progress connection::write_pending() {
  while (!session_.pending().empty()) {
    if (!writable_) return progress::failed;
    const auto pending = session_.pending();
    const auto sent = ::send(socket_.native_handle(), pending.data(), pending.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return errno == EAGAIN ? progress::blocked : progress::failed;
    session_.sent(static_cast<std::size_t>(sent));
    last_sent_ = clock::now();
  }
  return progress::done;
}

void connection::wait_until_writable() {
  asio::dispatch(common_.io, guarded([this] {
                   if (!socket_.is_open()) return;
                   socket_.async_wait(tcp::socket::wait_write, guarded([this](const error_code& stopped) {
                                        if (!stopped) flush();
                                      }));
                 }));
}

// What the peer said before it closed, such as goodbye, may still be unread and explains more.
void connection::write_failed() {
  if (drain()) close(error{flock::error_code::down, "connection closed by the peer"});
}

// -- watching

// Says and expects a sign of life while the connection is kept.
void connection::watch() {
  const auto& limits = common_.limits;
  const auto due = std::min(last_sent_.load() + limits.heartbeat, last_received_ + 3 * limits.heartbeat);
  timer_.expires_at(std::max(due, clock::now() + limits.heartbeat / 8));
  timer_.async_wait(guarded([this](const error_code& stopped) {
    if (!stopped && !ended_) look_after();
  }));
}

void connection::look_after() {
  {
    std::lock_guard lock(session_mutex_);
    session_.keep_buffers(false);  // until it is dense again
  }
  const auto silence = 3 * common_.limits.heartbeat;
  // If it was this process that slept, the peer's words are there, unread.
  if (clock::now() - last_received_ >= silence && !drain()) return;
  if (ended_) return;
  if (clock::now() - last_received_ >= silence)
    return close(error{flock::error_code::down, "silent for " + format_duration(silence)});
  if (clock::now() - last_sent_.load() >= common_.limits.heartbeat) send_heartbeat();
  watch();
}

bool connection::is_healthy() const {
  return !ended_ && clock::now() - last_received_ < common_.limits.heartbeat * 3 / 2;
}

std::vector<std::string> connection::peer_names() const {
  std::lock_guard lock(session_mutex_);
  return session_.peer_names();
}

// -- ending

void connection::say_goodbye(const error& why) {
  std::string frame;
  append_frame(message{.kind = message_kind::goodbye, .body = value::map{{"why", why.what}}}, frame);
  {
    std::lock_guard lock(queue_mutex_);
    if (taking_) queue_.push(frame);
  }
  linger(why);
}

void connection::linger(const error& why) {
  if (ended_) return;
  end(why);
  {
    std::lock_guard lock(queue_mutex_);
    lingering_ = true;
  }
  timer_.expires_after(last_words);
  timer_.async_wait(guarded([this](const error_code& stopped) {
    if (!stopped) close_socket();
  }));
  request_flush();
}

void connection::close(const error& why) {
  end(why);
  close_socket();
}

void connection::end(const error& why) {
  if (std::exchange(ended_, true)) return;
  {
    std::lock_guard lock(queue_mutex_);
    taking_ = false;
  }
  common_.to.ended(*this, why);
}

void connection::close_socket() {
  std::lock_guard lock(session_mutex_);
  writable_ = false;
  error_code ignored;
  timer_.cancel(ignored);
  socket_.close(ignored);
  if (std::exchange(counted_, false)) --common_.sockets;
}

}  // namespace flock::internal
