#include "libflock/tls/frame.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using flock::internal::append_frame;
using flock::internal::frame_decoder;

namespace {

std::string framed(const std::string& payload) {
  std::string frame(4, '\0');
  frame[2] = static_cast<char>(payload.size() >> 8);
  frame[3] = static_cast<char>(payload.size() & 0xff);
  return frame + payload;
}

std::vector<std::string> all_frames(frame_decoder& decoder, std::string_view bytes) {
  std::vector<std::string> frames;
  decoder.feed(bytes);
  for (;;) {
    auto frame = decoder.next();
    REQUIRE(frame);
    if (!*frame) return frames;
    frames.emplace_back(**frame);
  }
}

}  // namespace

TEST_CASE("a message is framed by its length and read back") {
  const flock::message sent{.kind = flock::message_kind::call, .id = 7, .actor = "itchy", .body = "hello"};
  std::string bytes = "before";

  append_frame(sent, bytes);

  frame_decoder decoder(1000);
  const auto frames = all_frames(decoder, std::string_view(bytes).substr(6));
  REQUIRE(frames.size() == 1);
  CHECK(*flock::decode_message(frames[0]) == sent);
}

TEST_CASE("frames are the same however the stream is cut") {
  const std::vector<std::string> payloads{"a", "", std::string(300, 'b'), "c"};
  std::string stream;
  for (const auto& p : payloads) stream += framed(p);

  for (std::size_t piece : {1, 2, 3, 5, 7, 64, 1000}) {
    CAPTURE(piece);
    frame_decoder decoder(300);
    std::vector<std::string> got;
    for (std::size_t at = 0; at < stream.size(); at += piece)
      for (auto& frame : all_frames(decoder, std::string_view(stream).substr(at, piece))) got.push_back(frame);
    CHECK(got == payloads);
  }
}

TEST_CASE("a frame over the limit is refused as soon as its length is known") {
  frame_decoder decoder(1000);

  decoder.feed(std::string_view("\xff\xff\xff\xff", 4));  // 4 GiB

  auto frame = decoder.next();
  REQUIRE(!frame);
  CHECK(frame.error().code == flock::error_code::protocol);
  CHECK(frame.error().what == "a frame of 4294967295 bytes, the limit is 1000");
}

TEST_CASE("a length over the limit is refused when it comes byte by byte") {
  frame_decoder decoder(1000);
  const std::string header("\x00\x00\x03\xe9", 4);

  for (std::size_t i = 0; i < 3; ++i) CHECK(all_frames(decoder, std::string_view(header).substr(i, 1)).empty());
  decoder.feed(std::string_view(header).substr(3));

  CHECK(!decoder.next());
}

TEST_CASE("a frame of exactly the limit passes, and more when the limit is raised") {
  frame_decoder decoder(10);
  CHECK(all_frames(decoder, framed(std::string(10, 'x'))).size() == 1);

  decoder.raise_limit(11);

  CHECK(all_frames(decoder, framed(std::string(11, 'x'))).size() == 1);
}
