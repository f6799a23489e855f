#include "tests/fuzz/fuzz.hpp"
#include <flock/value.hpp>

#include <string>

// JSON, of anybody: policies, attributes, resource files, bodies of the control API. What is read is written again as
// what reads as the same.

using namespace flock;
using fuzz::require;

namespace {

void check_written(const value& v, int indent) {
  const auto text = to_json(v, indent);
  // Indents may make it larger than is taken from others.
  const auto again = from_json(text, {.bytes = text.size()});
  require(again.has_value(), "what was written can be read");
  require(to_json(*again, indent) == text, "what is read once more is the same");
  require(encode(*again) == encode(v), "what is read once more is the same, byte by byte");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = fuzz::as_text(data, size);
  // A value has 40 bytes, a member a hundred, and both are made some times over.
  const fuzz::allowance cost((1 << 16) + 4'000 * size);

  const auto v = from_json(text);

  if (!v) {
    require(v.error().what.size() <= fuzz::longest_error, "what is wrong is said in few words");
    return 0;
  }
  check_written(*v, -1);
  check_written(*v, 2);
  return 0;
}
