#include "tools/client/http_reply.hpp"

#include "tests/fuzz/fuzz.hpp"
#include "tools/client/server_sent_events.hpp"

#include <algorithm>
#include <string>
#include <vector>

// What answers on a socket where a flockd should: a reply, and the events in its body, the same ones whatever the
// pieces that they arrive in.

using namespace flock;
using fuzz::require;

namespace {

struct seen {
  int status = 0;
  bool complete = false;
  bool broken = false;
  std::string body;
  std::vector<server_sent_event> events;

  friend bool operator==(const seen&, const seen&) = default;
};

seen read(std::string_view stream, std::size_t piece) {
  http_reply reply;
  server_sent_events events;
  seen out;
  while (!out.broken && !reply.complete() && !stream.empty()) {
    const auto before = out.body.size();
    out.broken = !reply.feed(stream.substr(0, piece), out.body);
    stream.remove_prefix(std::min(piece, stream.size()));
    for (auto& e : events.feed(std::string_view(out.body).substr(before))) out.events.push_back(std::move(e));
  }
  if (!out.broken && !reply.complete()) out.broken = !reply.end();
  out.status = reply.status();
  out.complete = reply.complete();
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto stream = fuzz::as_text(data, size);
  const fuzz::allowance cost((1 << 17) + 1'000 * size);

  const auto whole = read(stream, std::max<std::size_t>(size, 1));
  const auto pieces = read(stream, 7);

  require(whole.body.size() <= size, "a body is no larger than its reply");
  require(whole.broken == pieces.broken, "a reply is broken whatever the pieces that it arrives in");
  if (!whole.broken) require(whole == pieces, "a reply is the same whatever the pieces that it arrives in");
  return 0;
}
