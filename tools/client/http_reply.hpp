#pragma once

#include <flock/error.hpp>

#include <memory>
#include <string>
#include <string_view>

namespace flock {

/// Reads one HTTP/1.1 reply as its bytes arrive, with Boost.Beast's parser: a body by Content-Length, in chunks, or up
/// to the connection's end. Pure.
class http_reply {
 public:
  http_reply();
  ~http_reply();

  /// Takes the next bytes and appends what they hold of the body to `body`. At most 16 KiB wait here for more.
  /// Errors: protocol
  result<void> feed(std::string_view bytes, std::string& body);

  /// The connection has ended. Errors: protocol (the reply has not)
  result<void> end();

  /// 0: not known yet.
  int status() const;
  bool complete() const;

 private:
  class parser;

  std::unique_ptr<parser> parser_;
  std::string pending_;  // what the parser needs more of to go on
};

}  // namespace flock
