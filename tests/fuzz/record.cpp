#include "libflock/delivery/ledger.hpp"
#include "libflock/delivery/outbox.hpp"
#include "libflock/values/packed_reader.hpp"
#include "tests/fuzz/fuzz.hpp"

#include <optional>
#include <string>

// The records of a journal, one at a time, and what is sent in the same forms: whatever is accepted can be read back.

using namespace flock;
using fuzz::require;

namespace {

std::string written(const notification_record& r) { return r.stored(); }
std::string written(const outbox::standing& s) { return encode(s.to_value()); }
std::string written(const auto& record) {
  std::string out;
  record.write(out);
  return out;
}

template <class T> void check(std::string_view packed, result<T> (*read)(std::string_view)) {
  const auto record = read(packed);
  if (!record) return require(record.error().what.size() <= fuzz::longest_error, "what is wrong is said in few words");
  const auto form = written(*record);
  const auto again = read(form);
  require(again.has_value() && written(*again) == form, "a record reads as it was written");
}

result<outbox::standing> read_standing(std::string_view packed) {
  const auto v = internal::unpack(packed);
  if (!v) return v.error();
  return outbox::standing::from_value(*v);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto packed = fuzz::as_text(data, size);
  const fuzz::allowance cost((1 << 16) + 4'000 * size);

  check(packed, &notification::read);
  check(packed, &receipt::read);
  check(packed, &notification_record::read);
  check(packed, &read_standing);
  return 0;
}
