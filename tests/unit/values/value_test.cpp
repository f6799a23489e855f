#include <flock/value.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <random>
#include <sstream>
#include <string>

using namespace std::string_view_literals;
using flock::blob;
using flock::decode;
using flock::encode;
using flock::error_code;
using flock::result;
using flock::value;
using kind = flock::value::kind;

namespace {

result<value> decoded(std::string_view bytes, const flock::value_limits& limits = {}) {
  auto v = decode(bytes, limits);
  if (v) CHECK(bytes.empty());
  return v;
}

void refused(std::string_view bytes, const flock::value_limits& limits = {}) {
  auto v = decode(bytes, limits);
  REQUIRE_FALSE(v);
  CHECK(v.error().code == error_code::protocol);
}

value one_of_each() {
  return value::map{{"null", {}},
                    {"yes", true},
                    {"no", false},
                    {"integer", -7},
                    {"real", 2.5},
                    {"text", "str\xc3\xa4nge \0"sv},
                    {"bytes", blob{"\0\xff"}},
                    {"list", value::list{1, "two", value::list{}, value::map{}}},
                    {"", value::map{{"nested", value::list{value::map{{"deeper", nullptr}}}}}}};
}

/// Lists in lists, so many levels of them.
value nested(int levels) {
  value v = 7;
  for (int i = 0; i < levels; ++i) v = value::list{std::move(v)};
  return v;
}

}  // namespace

TEST_CASE("each kind of value has a name and holds what it was made of") {
  CHECK(value().is_null());
  CHECK(value(nullptr).is_null());
  CHECK(*value(true).as_bool());
  CHECK(*value(7U).as_int() == 7);
  CHECK(*value(std::int8_t{-7}).as_int() == -7);
  CHECK(*value(2.5).as_real() == 2.5);
  CHECK(*value("text").as_text() == "text");
  CHECK(value(blob{"bytes"}).as_bytes()->data == "bytes");
  CHECK(value(value::list{1, 2}).as_list()->size() == 2);
  CHECK(value(value::map{{"a", 1}}).as_map()->size() == 1);
  CHECK_FALSE(value(7).as_text());
  CHECK_FALSE(value("7").as_int());
  CHECK_FALSE(value(1).as_bool());

  std::string names;
  for (int k = 0; k <= static_cast<int>(kind::map); ++k) names += std::string(to_string(static_cast<kind>(k))) + " ";
  CHECK(names == "null boolean integer real text bytes list map ");
}

TEST_CASE("a member that is not there is null") {
  value v = value::map{{"a", 1}, {"nothing", nullptr}};

  CHECK(v["a"] == 1);
  CHECK(v["b"].is_null());
  CHECK(v["nothing"].is_null());
  CHECK(value("text")["a"].is_null());
  CHECK(v["b"]["c"]["d"].is_null());
}

TEST_CASE("a path leads to a member of members") {
  value v = value::map{{"kernel", value::map{{"release", "6.1"}, {"modules", value::map{{"ext4", 1}}}}}};

  CHECK(v.at_path("kernel.release") == "6.1");
  CHECK(v.at_path("kernel.modules.ext4") == 1);
  CHECK(v.at_path("kernel") == v["kernel"]);
  for (const char* path : {"", ".", "kernel.", ".kernel", "kernel..release", "kernel.release.more", "none.at.all"}) {
    CAPTURE(path);
    CHECK(v.at_path(path).is_null());
  }
}

TEST_CASE("the binary form of each kind is the one that was promised") {
  CHECK(encode(value()) == "\0"sv);
  CHECK(encode(false) == "\1");
  CHECK(encode(true) == "\2");
  CHECK(encode(0) == "\3\0"sv);
  CHECK(encode(-1) == "\3\1");
  CHECK(encode(1) == "\3\2");
  CHECK(encode(150) == "\3\xac\2");
  CHECK(encode(1.0) == "\4\0\0\0\0\0\0\xf0\x3f"sv);
  CHECK(encode("ab") == "\5\2ab");
  CHECK(encode(blob{"ab"}) == "\6\2ab");
  CHECK(encode(value::list{true, "x"}) == "\7\2\2\5\1x");
  CHECK(encode(value::map{{"k", true}}) == "\x8\1\1k\2");
}

TEST_CASE("every value comes back from its binary form") {
  constexpr auto smallest = std::numeric_limits<std::int64_t>::min();
  constexpr auto largest = std::numeric_limits<std::int64_t>::max();
  for (const value& v :
       {one_of_each(), value(smallest), value(largest), value(smallest + 1), value(0), value(-0.0),
        value(std::numeric_limits<double>::infinity()), value(std::numeric_limits<double>::denorm_min()), value(""),
        value(blob{}), value(std::string(100'000, 'x')), value(value::list(1000, value(1))), value(value::list{}),
        value(value::map{})}) {
    CHECK(decoded(encode(v)) == result<value>(v));
  }
  CHECK(std::isnan(*decoded(encode(std::nan("")))->as_real()));
  CHECK(std::signbit(*decoded(encode(-0.0))->as_real()));
}

TEST_CASE("decoding takes one value and leaves what follows") {
  auto bytes = encode("first") + encode(2) + "rest";
  std::string_view in = bytes;

  CHECK(decode(in) == result<value>("first"));
  CHECK(decode(in) == result<value>(2));
  CHECK(in == "rest");
}

TEST_CASE("a value that is cut short at any byte is refused, and nothing is taken") {
  auto bytes = encode(one_of_each());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    CAPTURE(size);
    std::string_view in(bytes.data(), size);
    auto v = decode(in);
    REQUIRE_FALSE(v);
    CHECK(v.error().code == error_code::protocol);
    CHECK(in.size() == size);
  }
}

TEST_CASE("lengths and counts beyond the bytes that are there are refused") {
  for (char tag : {'\5', '\6', '\7', '\x8'}) {
    CAPTURE(static_cast<int>(tag));
    refused(tag + std::string("\xff\xff\xff\xff\x0f....."));                         // 4 GiB in 11 bytes
    refused(tag + std::string("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"));          // 2^64 - 1
    refused(tag + std::string("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f"));          // more than 64 bits
    refused(tag + std::string("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80"));  // without an end
  }
  refused("\x8\1\xff\xff\xff\xff\x0f....");  // a key of 4 GiB
}

TEST_CASE("many lists that each claim all that is left cost no more than what is there") {
  std::string bytes;
  for (int level = 0; level < 64; ++level) bytes += "\7\xff\xff\x3f";  // a million elements
  bytes.resize(1 << 20, '\0');

  refused(bytes);
}

TEST_CASE("an unknown tag is refused") {
  refused("\x9");
  refused("\xff");
  refused("\7\2\2\x9");
}

TEST_CASE("a member that is there twice is refused") { refused("\x8\2\1k\2\1k\2"); }

TEST_CASE("a value may be 64 levels deep, but not 65") {
  CHECK(decoded(encode(nested(64))) == result<value>(nested(64)));
  refused(encode(nested(65)));
  refused(std::string(100'000, '\7'));
  CHECK(decoded(encode(nested(2)), {.depth = 2}));
  refused(encode(nested(3)), {.depth = 2});
  CHECK(decoded(encode(7), {.depth = 0}));
}

TEST_CASE("a value beyond the limit of bytes is refused") {
  auto bytes = encode(std::string(100, 'x'));

  CHECK(decoded(bytes, {.bytes = bytes.size()}));
  refused(bytes, {.bytes = bytes.size() - 1});
}

TEST_CASE("random bytes are a value or refused, and what is a value comes back") {
  auto seed = std::random_device()();
  CAPTURE(seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes(random() % 64, '\0');
    // Mostly small numbers, so that tags and short lengths are frequent.
    for (char& c : bytes) c = static_cast<char>(random() % 4 ? random() % 10 : random());
    std::string_view in = bytes;
    auto v = decode(in);
    if (!v) continue;
    auto again = encode(*v);
    CHECK(encode(*decoded(again)) == again);
  }
}

TEST_CASE("a good value with broken bytes is a value or refused") {
  auto seed = std::random_device()();
  CAPTURE(seed);
  std::mt19937 random(seed);
  const auto good = encode(one_of_each());
  for (int round = 0; round < 20'000; ++round) {
    auto bytes = good;
    for (int i = 0; i < 3; ++i) bytes[random() % bytes.size()] = static_cast<char>(random());
    std::string_view in = bytes;
    if (auto v = decode(in)) CHECK(encode(*v).size() <= bytes.size());
  }
}

TEST_CASE("a value prints as JSON on one line") {
  std::ostringstream out;
  out << value(value::map{{"a", value::list{1, true}}});

  CHECK(out.str() == R"({"a":[1,true]})");
}
