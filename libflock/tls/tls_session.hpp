#pragma once

#include "libflock/tls/tls_context.hpp"
#include <flock/error.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct bio_st;
struct ssl_st;

namespace flock::internal {

enum class tls_role { dialler, acceptor };

/// The TLS of one connection, without its socket: takes what arrived, gives what must leave. Without a context it is
/// plain TCP. Not safe for threads.
class tls_session {
 public:
  tls_session(std::shared_ptr<const tls_context> context, tls_role role);
  ~tls_session();
  tls_session(const tls_session&) = delete;
  tls_session& operator=(const tls_session&) = delete;

  /// The first word of a dialler.
  result<void> start();

  /// The next bytes from the wire; they must live until read() returns nothing.
  void arrived(std::string_view bytes) { input_ = bytes; }

  /// What the peer said, valid until the next call; empty if more bytes are needed. \param buffer  at least one record,
  /// 16 KiB. Errors: refused (certificates), protocol, down (the peer closed)
  result<std::string_view> read(std::span<char> buffer);
  /// Whether bytes have arrived that were not read.
  bool has_more() const;

  /// Whether the peer's certificate has been verified and data can be written.
  bool established() const { return established_; }
  /// The names in the peer's certificate; none in plain TCP.
  std::vector<std::string> peer_names() const;

  /// Whether the buffers of one record stay for the next one: 32 KiB of memory against the time in which they would be
  /// made anew each time. At first they do not.
  void keep_buffers(bool yes);

  /// Seals data for the wire. Errors: protocol
  result<void> write(std::string_view data);

  /// What must leave, and how much of it has left.
  std::string_view pending() const { return std::string_view(output_).substr(sent_); }
  void sent(std::size_t bytes);

 private:
  struct free_ssl {
    void operator()(ssl_st* s) const;
  };
  friend struct session_bio;

  error failure(int code) const;

  std::shared_ptr<const tls_context> context_;
  std::unique_ptr<ssl_st, free_ssl> ssl_;
  bool established_ = false;
  bool keeps_buffers_ = false;
  std::string_view input_;
  std::string output_;
  std::size_t sent_ = 0;
};

}  // namespace flock::internal
