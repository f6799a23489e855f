#include "libflock/seams/message.hpp"

#include "libflock/seams/transport.hpp"
#include "libflock/words/parcel.hpp"
#include "tests/fuzz/fuzz.hpp"

#include <string>

// One message of a peer, and what its kind says that its body is.

using namespace flock;
using fuzz::require;

namespace {

void check(const error& why) { require(why.what.size() <= fuzz::longest_error, "what is wrong is said in few words"); }

/// What is read of a body is written as what reads as the same.
template <class T> void check_body(const value& body) {
  const auto read = T::from_body(body);
  if (!read) return check(read.error());
  const auto again = T::from_body(read->to_body());
  require(again.has_value() && encode(again->to_body()) == encode(read->to_body()), "a body reads as it was written");
}

void check_parcels(std::string_view packed) {
  const auto read = batch::read(packed);
  if (!read) return check(read.error());
  const auto again = batch::read(read->packed());
  require(again.has_value() && again->packed() == read->packed(), "parcels read as they were written");
  require(read->packed() == encode(read->to_body()), "both ways of writing parcels agree");
}

void check_by_kind(const message& m) {
  switch (m.kind) {
    case message_kind::hello:
      return check_body<hello>(m.body);
    case message_kind::acknowledge:
      return check_body<acknowledgement>(m.body);
    case message_kind::failure:
      return require(error_from_body(to_body(error_from_body(m.body))) == error_from_body(m.body),
                     "an error reads as it was written");
    case message_kind::parcels:
      return check_parcels(m.packed);
    default:
      return;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // A null is one byte on the wire and 40 as a value, which a vector that grows asks for twice over.
  const fuzz::allowance cost((1 << 16) + 2'000 * size);

  const auto m = decode_message(fuzz::as_text(data, size));

  if (!m) {
    check(m.error());
    return 0;
  }
  const auto bytes = encode(*m);
  const auto again = decode_message(bytes);
  require(again.has_value() && encode(*again) == bytes, "a message reads as it was written");
  check_by_kind(*m);
  return 0;
}
