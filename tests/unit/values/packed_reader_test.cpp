#include "libflock/values/packed_reader.hpp"

#include <flock/name.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

using namespace flock::internal;
using flock::blob;
using flock::decode;
using flock::encode;
using flock::error_code;
using flock::node_id;
using flock::value;

namespace {

const value sample = value::map{{"a", 1},
                                {"b", value::list{"x", -2.5, nullptr, true}},
                                {"c", value::map{{"d", blob{"raw"}}, {"e", false}}},
                                {"id", "bender0"},
                                {"none", nullptr}};

}  // namespace

TEST_CASE("a packed value is taken from the front of others, whatever it is") {
  for (const auto& v : {value(), value(true), value(-70'000), value(2.5), value("text"), value(blob{"b"}), sample}) {
    const auto bytes = encode(v) + "rest";
    std::string_view in = bytes;

    const auto taken = take_value(in);

    REQUIRE(taken);
    CHECK(*taken == encode(v));
    CHECK(in == "rest");
  }
}

TEST_CASE("a packed value that is cut short anywhere is refused, and nothing is taken") {
  const auto bytes = encode(sample);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    auto in = std::string_view(bytes).substr(0, size);
    CAPTURE(size);
    const auto taken = take_value(in);
    REQUIRE_FALSE(taken);
    CHECK(taken.error().code == error_code::protocol);
    CHECK(in.size() == size);
  }
}

TEST_CASE("a packed value is refused if it claims what is not there, has an unknown tag, or is nested too deeply") {
  std::string nested;  // lists of one list
  for (int i = 0; i < 65; ++i) nested += "\x7\x1";
  nested += '\1';
  for (std::string_view bad :
       {"\x7\xff\xff\xff\xff\xf", "\x8\xff\xff\xff\xff\xf", "\x5\x7f", "\x9", "\xff", nested.c_str()})
    CHECK_FALSE(take_value(bad));
  auto deep = std::string_view(nested).substr(2);
  CHECK(take_value(deep));
}

TEST_CASE("members are read from a packed map as from its value") {
  const auto bytes = encode(sample);
  packed_reader in(bytes);

  CHECK(in.required<int>("a") == 1);
  CHECK(in.required<value>("c") == sample["c"]);
  CHECK(in.required<value::list>("b") == *sample["b"].as_list());
  CHECK(in.required<node_id>("id") == *node_id::parse("bender0"));
  CHECK(in.optional<std::string>("none") == std::nullopt);
  CHECK(in.optional<std::string>("missing") == std::nullopt);
  CHECK_FALSE(in.failed());
}

TEST_CASE("what is wrong with a packed map is said as of its value") {
  const auto why = [](const value& v, auto read) {
    const auto bytes = encode(v);
    packed_reader in(bytes);
    read(in);
    REQUIRE(in.failed());
    return in.failed()->what;
  };

  CHECK(why(sample, [](auto& in) { (void)in.template required<int>("none"); }) == "none: missing");
  CHECK(why(sample, [](auto& in) { (void)in.template required<int>("id"); }) == "id: expected an integer, found text");
  CHECK(why(value::map{{"a", 300}}, [](auto& in) { (void)in.template required<std::uint8_t>("a"); }) ==
        "a: 300 is out of range");
  CHECK(why(7, [](auto&) {}) == "expected a map, found integer");
}

TEST_CASE("the elements of a packed list are its values") {
  const auto bytes = encode(sample["b"]);
  const auto elements = packed_elements(bytes);

  REQUIRE(elements);
  REQUIRE(elements->size() == 4);
  CHECK(packed_text((*elements)[0]) == "x");
  CHECK(packed_text((*elements)[1]) == std::nullopt);
  CHECK(packed_integer((*elements)[3]) == std::nullopt);
  CHECK(packed_elements(encode(value(3))).error().what == "expected a list, found integer");
}
