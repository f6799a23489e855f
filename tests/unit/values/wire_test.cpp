#include "libflock/values/wire.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <string>

using namespace std::string_view_literals;
using flock::internal::put_bytes;
using flock::internal::put_varint;
using flock::internal::take_bytes;
using flock::internal::take_varint;

namespace {

std::string varint(std::uint64_t number) {
  std::string out;
  put_varint(number, out);
  return out;
}

}  // namespace

TEST_CASE("a varint has seven bits a byte, the lowest first") {
  CHECK(varint(0) == "\0"sv);
  CHECK(varint(0x7f) == "\x7f");
  CHECK(varint(0x80) == "\x80\x01");
  CHECK(varint(300) == "\xac\x02");
  CHECK(varint(std::numeric_limits<std::uint64_t>::max()) == "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01");
}

TEST_CASE("a varint of any length is read back, and what follows stays") {
  for (unsigned bits = 0; bits <= 64; ++bits) {
    auto number = bits == 64 ? std::numeric_limits<std::uint64_t>::max() : (std::uint64_t{1} << bits) - 1;
    auto bytes = varint(number) + "rest";
    std::string_view in = bytes;
    CHECK(take_varint(in) == number);
    CHECK(in == "rest");
  }
}

TEST_CASE("a varint that is cut short or beyond 64 bits is none") {
  for (auto bytes : {""sv, "\x80"sv, "\xff\xff\xff"sv, "\xff\xff\xff\xff\xff\xff\xff\xff\xff"sv,
                     "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"sv, "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"sv}) {
    std::string_view in = bytes;
    CHECK_FALSE(take_varint(in));
  }
}

TEST_CASE("bytes are read back without a copy") {
  std::string bytes;
  put_bytes("some\0bytes"sv, bytes);
  put_bytes("", bytes);
  std::string_view in = bytes;

  auto first = take_bytes(in);
  CHECK(first == "some\0bytes"sv);
  CHECK(first->data() == bytes.data() + 1);
  CHECK(take_bytes(in) == ""sv);
  CHECK(in.empty());
}

TEST_CASE("a claimed length beyond what is there is not believed") {
  for (auto bytes : {"\x05"
                     "four"sv,
                     "\xff\xff\xff\xff\x0f"sv, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01x"sv, ""sv}) {
    std::string_view in = bytes;
    CHECK_FALSE(take_bytes(in));
  }
}
