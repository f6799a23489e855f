#pragma once

#include <flock/error.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace flock {

/// Reads one HTTP/1.1 reply as its bytes arrive: a body by Content-Length, in chunks, or up to the connection's end.
/// Pure.
class http_reply {
 public:
  /// Takes the next bytes and appends what they hold of the body to `body`.
  /// Errors: protocol
  result<void> feed(std::string_view bytes, std::string& body);

  /// The connection has ended. Errors: protocol (the reply has not)
  result<void> end();

  /// 0: not known yet.
  int status() const { return status_; }
  bool complete() const { return at_ == part::nothing; }

 private:
  enum class part : std::uint8_t { status, headers, body, chunk_size, chunk, chunk_end, trailers, rest, nothing };

  result<bool> advance(std::string& body);
  bool take_body(std::string& body);
  result<bool> take_line(std::string_view line);
  result<bool> take_status(std::string_view line);
  result<bool> take_header(std::string_view line);
  result<bool> take_chunk_size(std::string_view line);

  part at_ = part::status;
  part after_headers_ = part::rest;
  int status_ = 0;
  std::uint64_t left_ = 0;  // of the body or the chunk
  std::string pending_;
};

struct server_sent_event {
  std::string id;    ///< empty if it has none
  std::string type;  ///< empty if it has none
  std::string data;

  friend bool operator==(const server_sent_event&, const server_sent_event&) = default;
};

/// Splits a text/event-stream into its events. Pure.
/// Source: WHATWG HTML, section 9.2.6 "Interpreting an event stream"
class server_sent_events {
 public:
  std::vector<server_sent_event> feed(std::string_view bytes);

 private:
  void take_field(std::string_view line);

  std::string pending_;
  server_sent_event next_;
};

}  // namespace flock
