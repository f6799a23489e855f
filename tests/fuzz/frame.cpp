#include "libflock/tls/frame.hpp"

#include "tests/fuzz/fuzz.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

// The stream of a connection, cut into messages: the same ones, whatever the pieces that it arrives in.

using namespace flock;
using fuzz::require;

namespace {

constexpr std::size_t limit = 1 << 12;

struct seen {
  std::vector<std::string> messages;
  std::optional<std::string> wrong;

  friend bool operator==(const seen&, const seen&) = default;
};

seen read(std::string_view stream, std::size_t piece) {
  internal::frame_decoder decoder(limit);
  seen out;
  while (!out.wrong && !stream.empty()) {
    decoder.feed(stream.substr(0, piece));
    stream.remove_prefix(std::min(piece, stream.size()));
    auto next = decoder.next();
    for (; next && *next; next = decoder.next()) out.messages.emplace_back(**next);
    if (!next) out.wrong = next.error().what;
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto stream = fuzz::as_text(data, size);
  // A frame without a message has four bytes, and becomes a string here, three times.
  const fuzz::allowance cost((1 << 16) + 200 * size);

  const auto whole = read(stream, std::max<std::size_t>(size, 1));

  require(read(stream, 1) == whole, "bytes that arrive one by one are the same messages");
  require(read(stream, 7) == whole, "bytes that arrive in pieces are the same messages");
  for (const auto& m : whole.messages) require(m.size() <= limit, "no message is over the limit");
  return 0;
}
