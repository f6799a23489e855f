#pragma once

#include "libflock/seams/message.hpp"
#include <flock/error.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace flock::internal {

/// A frame is the length of a message (four bytes, big endian), then the message. See docs/wire_format.md.
inline constexpr std::size_t frame_header = 4;

/// Puts a message behind what is in `out`, as a frame.
void append_frame(const message& m, std::string& out);

/// Cuts a stream of bytes into frames. It believes no length: it keeps what arrived and no more.
class frame_decoder {
 public:
  /// \param limit  bytes of the longest message
  explicit frame_decoder(std::size_t limit) : limit_(limit) {}

  void raise_limit(std::size_t limit) { limit_ = limit; }

  /// The next bytes of the stream; they must live until next() returns nothing.
  void feed(std::string_view bytes) { input_ = bytes; }

  /// The next whole message, valid until the next call; nothing if more bytes are needed.
  /// Errors: protocol (a message over the limit: the stream is of no use from here on)
  result<std::optional<std::string_view>> next();

 private:
  std::optional<std::string_view> whole_in_input();
  bool collect(std::size_t size);

  std::size_t limit_;
  std::string_view input_;
  std::string partial_;  ///< a frame that came in pieces
  bool complete_ = false;
};

}  // namespace flock::internal
