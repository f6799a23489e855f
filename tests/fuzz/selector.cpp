#include "libflock/words/location.hpp"
#include "libflock/words/run.hpp"
#include "libflock/words/subscriptions.hpp"
#include "tests/fuzz/fuzz.hpp"

// Where to, as JSON of resource files, of the control API and of peers: locations, and the wishes that have one.

using namespace flock;
using fuzz::require;

namespace {

template <class T> void check(const value& v) {
  const auto read = T::from_value(v);
  if (!read) return require(read.error().what.size() <= fuzz::longest_error, "what is wrong is said in few words");
  const auto form = read->to_value();
  const auto again = T::from_value(form);
  require(again.has_value() && *again == *read, "it reads as it was written");
  require(again->to_value() == form, "and is written as it was");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::allowance cost((1 << 16) + 8'000 * size);

  const auto v = from_json(fuzz::as_text(data, size));

  if (!v) return 0;
  check<location>(*v);
  check<wanted_action>(*v);
  check<wish>(*v);
  return 0;
}
