#pragma once

#include "libflock/seams/transport.hpp"
#include "libflock/tls/frame.hpp"
#include "libflock/tls/leadership.hpp"
#include "libflock/tls/name_lookup.hpp"
#include "libflock/tls/tls_session.hpp"
#include "libflock/tls/write_queue.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace flock::internal {

/// One connection, from its socket to messages: TLS, frames, heartbeats, and a deadline for whatever it waits for. Who
/// is at its other end, and whether it is wanted, is its listener's business.
///
/// All of it happens on the thread that leads at its io_context; only send() and queued() may be called from any
/// thread.
class connection : public std::enable_shared_from_this<connection> {
 public:
  class listener {
   public:
    /// The peer's certificate has been verified: messages can be sent.
    virtual void secured(connection& c) = 0;
    virtual void received(connection& c, message m) = 0;
    /// Once, when it is of no more use; its socket may stay a moment longer for the last words.
    virtual void ended(connection& c, const error& why) = 0;

   protected:
    ~listener() = default;
  };

  /// What connections have in common. The buffers are used by one at a time.
  struct shared {
    boost::asio::io_context& io;
    listener& to;
    const leadership& at_io;
    transport_limits limits;
    static constexpr std::size_t buffer = 64 << 10;
    // Not set to anything: a page of them is memory only when something has been read into it.
    std::unique_ptr<char[]> room = std::make_unique_for_overwrite<char[]>(2 * buffer);
    std::span<char> wire{room.get(), buffer};
    std::span<char> plain{room.get() + buffer, buffer};
    int sockets = 0;  ///< accepted ones that are open
  };

  connection(shared& common, std::shared_ptr<const tls_context> context, tls_role role);
  ~connection();

  /// Connects to the first of these that answers.
  void dial(endpoints where);
  /// Goes on with a socket that was accepted.
  void accept(boost::asio::ip::tcp::socket socket);

  /// Sends a frame. Errors: unreachable (it has ended), refused (the queue is full)
  result<void> send(std::string_view frame);
  std::size_t queued() const;

  /// The peer is wanted: from here on heartbeats take the place of the deadline, and frames may have their full size.
  void keep();
  /// Sends a heartbeat now, before everything that waits: a connection that is gone shows it.
  void send_heartbeat();
  /// Ends it at once.
  void close(const error& why);
  /// Ends it after what is queued, and `why` as a goodbye, have been written.
  void say_goodbye(const error& why);

  bool has_ended() const { return ended_; }
  /// Whether anything came from the peer lately.
  bool is_healthy() const;
  /// Whether every address that was tried refused the connection.
  bool nobody_listens() const { return tried_ > 0 && refusals_ == tried_; }
  /// Since when the peer has been wanted.
  std::optional<std::chrono::steady_clock::time_point> kept_since() const { return kept_since_; }
  const std::string& remote() const { return remote_; }
  std::vector<std::string> peer_names() const;

  std::optional<node_id> wanted;  ///< whom this connection was dialled to reach
  std::optional<hello> peer;      ///< who is at the other end, once it has said so and has been believed

 private:
  using clock = std::chrono::steady_clock;

  template <class F> auto guarded(F f);

  void connect_next();
  void connected();
  void allow(milliseconds limit, const char* for_what);

  void read();
  bool drain();
  bool take(std::string_view wire);
  bool take_frames(std::string_view plain);
  result<std::string_view> unseal(std::string_view wire, bool& more);
  void read_failed(const boost::system::error_code& why);

  void request_flush();
  void flush();
  /// spoilt: TLS has failed, so reading has, too, or will
  enum class progress { done, blocked, failed, spoilt };
  void flush_from(progress last);
  bool fetch_chunk();
  progress seal_and_write();
  progress write_pending();
  void wait_until_writable();
  void write_failed();

  void watch();
  void look_after();
  void end(const error& why);
  void linger(const error& why);
  void close_socket();

  shared& common_;
  const tls_role role_;
  boost::asio::ip::tcp::socket socket_;
  boost::asio::steady_timer timer_;
  endpoints untried_;
  milliseconds each_{0};  ///< for one attempt to connect
  std::size_t tried_ = 0;
  std::size_t refusals_ = 0;
  std::string remote_;
  std::string last_failure_;

  frame_decoder decoder_;
  std::array<char, 4096> small_;  ///< where a read waits; what does not fit goes through the shared buffer
  clock::time_point last_received_;
  std::optional<clock::time_point> kept_since_;
  bool dense_ = false;       ///< what arrived came soon after what came before
  bool reading_ = false;     ///< what arrived is being taken
  bool owes_flush_ = false;  ///< after that
  bool ended_ = false;
  bool counted_ = false;

  mutable std::mutex queue_mutex_;
  write_queue queue_;       ///< guarded by queue_mutex_
  bool taking_ = true;      ///< guarded by queue_mutex_
  bool flushing_ = false;   ///< guarded by queue_mutex_; whoever set it has the writing end alone
  bool lingering_ = false;  ///< guarded by queue_mutex_: the writing end is shut when nothing waits any more

  mutable std::mutex session_mutex_;
  tls_session session_;    ///< guarded by session_mutex_
  bool writable_ = false;  ///< guarded by session_mutex_: the socket is open
  std::atomic<bool> secured_ = false;
  std::atomic<clock::time_point> last_sent_{};
  std::string chunk_;  ///< of whoever flushes
};

}  // namespace flock::internal
