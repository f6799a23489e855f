#include "tests/fuzz/fuzz.hpp"
#include <flock/clock.hpp>
#include <flock/config.hpp>
#include <flock/name.hpp>

#include <string>

// Names, addresses and the short texts beside them: whatever is taken is written as what reads as the same.

using namespace flock;
using fuzz::require;

namespace {

void check(const error& why) { require(why.what.size() <= fuzz::longest_error, "what is wrong is said in few words"); }

template <class T> void check_name(std::string_view text) {
  const auto read = T::parse(text);
  if (!read) return check(read.error());
  const auto again = T::parse(read->str());
  require(again.has_value() && *again == *read, "a name reads as it was written");
  require(is_printable_utf8(read->str()), "a name can be shown");
}

void check_times(std::string_view text) {
  if (const auto d = parse_duration(text)) {
    const auto again = parse_duration(format_duration(*d));
    require(again.has_value() && *again == *d, "a duration reads as it was written");
  }
  if (const auto t = parse_time(text)) {
    const auto again = parse_time(format_time(*t));
    require(again.has_value() && *again == *t, "a time reads as it was written");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = fuzz::as_text(data, size);
  const fuzz::allowance cost((1 << 16) + 100 * size);

  check_name<node_id>(text);
  check_name<actor_name>(text);
  check_name<address>(text);
  check_name<resource_name>(text);
  check_name<incarnation>(text);
  check_name<registry_url>(text);
  check_times(text);

  const auto encoded = percent_encode(text);
  require(encoded.find('/') == encoded.npos && encoded != "." && encoded != "..", "it is one element of a path");
  const auto decoded = percent_decode(encoded);
  require(decoded.has_value() && *decoded == text, "what was encoded is decoded");
  if (const auto other = percent_decode(text); !other) check(other.error());
  return 0;
}
