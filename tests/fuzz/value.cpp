#include "libflock/values/packed_reader.hpp"
#include "tests/fuzz/fuzz.hpp"
#include <flock/value.hpp>

#include <string>

// The binary form of values, read in both ways: made, and looked through.

using namespace flock;
using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = fuzz::as_text(data, size);
  const fuzz::allowance cost((1 << 16) + 4'000 * size);

  auto rest = bytes;
  const auto made = decode(rest);
  auto rest_of_packed = bytes;
  const auto taken = internal::take_value(rest_of_packed);

  if (!made) {
    require(rest == bytes, "what cannot be read is left where it is");
    require(made.error().what.size() <= fuzz::longest_error, "what is wrong is said in few words");
    return 0;
  }
  require(taken.has_value() && rest_of_packed == rest, "both ways of reading take the same bytes");
  const auto written = encode(*made);
  require(written.size() <= taken->size(), "the form that is written is the shortest");
  const auto again = internal::unpack(written);
  require(again.has_value() && encode(*again) == written, "a value reads as it was written");
  const auto json = to_json(*made);
  require(to_json(*again) == json, "and has the same JSON");
  return 0;
}
