#include <flock/value.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <random>
#include <string>

using namespace std::string_view_literals;
using flock::blob;
using flock::error_code;
using flock::from_json;
using flock::result;
using flock::to_json;
using flock::value;

namespace {

/// Refused, with all of these in the text.
void refused(std::string_view json, std::initializer_list<std::string_view> why = {},
             const flock::value_limits& limits = {}) {
  CAPTURE(json);
  auto v = from_json(json, limits);
  REQUIRE_FALSE(v);
  CHECK(v.error().code == error_code::bad_argument);
  CAPTURE(v.error().what);
  for (auto part : why) {
    CAPTURE(part);
    CHECK(v.error().what.find(part) != std::string::npos);
  }
}

std::string lists(int levels) {
  return std::string(static_cast<std::size_t>(levels), '[') + std::string(static_cast<std::size_t>(levels), ']');
}

}  // namespace

TEST_CASE("every value comes back from its JSON form") {
  value all = value::map{{"null", {}},
                         {"yes", true},
                         {"no", false},
                         {"integer", -7},
                         {"real", 2.5},
                         {"whole", 2.0},
                         {"text", "quote \" slash \\ line \n nul \0 str\xc3\xa4nge \xf0\x9f\x90\x91"sv},
                         {"bytes", blob{"\0\xff"}},
                         {"list", value::list{1, "two", value::list{}, value::map{}}},
                         {"", value::map{{"nested", value::list{value::map{{"deeper", nullptr}}}}}}};

  CHECK(from_json(to_json(all)) == result<value>(all));
  CHECK(from_json(to_json(all, 2)) == result<value>(all));
}

TEST_CASE("JSON is on one line, or indented") {
  value v = value::map{{"a", value::list{1, 2}}, {"b", "x"}};

  CHECK(to_json(v) == R"({"a":[1,2],"b":"x"})");
  CHECK(to_json(v, 1) == "{\n \"a\": [\n  1,\n  2\n ],\n \"b\": \"x\"\n}");
}

TEST_CASE("integers keep all their 64 bits") {
  CHECK(to_json(std::numeric_limits<std::int64_t>::max()) == "9223372036854775807");
  CHECK(from_json("9223372036854775807") == result<value>(std::numeric_limits<std::int64_t>::max()));
  CHECK(from_json("-9223372036854775808") == result<value>(std::numeric_limits<std::int64_t>::min()));
  CHECK(from_json("-0") == result<value>(0));
}

TEST_CASE("an integer beyond 64 bits becomes a real") {
  CHECK(from_json("9223372036854775808") == result<value>(9223372036854775808.0));
  CHECK(from_json("18446744073709551615") == result<value>(18446744073709551615.0));
  CHECK(from_json("18446744073709551616") == result<value>(18446744073709551616.0));
  CHECK(from_json("-9223372036854775809") == result<value>(-9223372036854775809.0));
}

TEST_CASE("a real comes back to the last bit and stays a real") {
  for (double d : {0.1, 1.0, -0.0, 1e300, 5e-324, 1.7976931348623157e308, 1.0 / 3}) {
    CHECK(from_json(to_json(d)) == result<value>(d));
  }
  CHECK(from_json("1e2") == result<value>(100.0));
}

TEST_CASE("a real that is not finite is written as null, and one that is too large is refused") {
  CHECK(to_json(std::nan("")) == "null");
  CHECK(to_json(value::list{std::numeric_limits<double>::infinity()}) == "[null]");
  for (const char* text : {"NaN", "Infinity", "-Infinity", "nan"}) refused(text, {"line 1, column "});
  refused("[1e999]", {"line 1", "1e999"});
}

TEST_CASE("text that is no UTF-8 is written with replacement characters, and refused when read") {
  CHECK(to_json("a\xff"
                "b") ==
        "\"a\xef\xbf\xbd"
        "b\"");
  CHECK(to_json(value::map{{"\xff", 1}}) == "{\"\xef\xbf\xbd\":1}");
  refused("\"a\xff\"", {"line 1, column 3"});
  refused("\"\xed\xa0\x80\"");
  refused("\"\\ud800\"");
}

TEST_CASE("bytes are written as base64 and read back") {
  CHECK(to_json(blob{""}) == R"({"$bytes":""})");
  CHECK(to_json(blob{"f"}) == R"({"$bytes":"Zg=="})");
  CHECK(to_json(blob{"fo"}) == R"({"$bytes":"Zm8="})");
  CHECK(to_json(blob{"foo"}) == R"({"$bytes":"Zm9v"})");
  CHECK(to_json(blob{"foob"}) == R"({"$bytes":"Zm9vYg=="})");
  CHECK(to_json(blob{"\xfb\xff"}) == R"({"$bytes":"+/8="})");
  std::string all;
  for (int c = 0; c < 256; ++c) {
    all += static_cast<char>(c);
    CHECK(from_json(to_json(blob{all})) == result<value>(blob{all}));
  }
}

TEST_CASE("bytes that are no base64 are refused") {
  for (const char* text :
       {R"({"$bytes":"Zg="})", R"({"$bytes":"Zg"})", R"({"$bytes":"Z==="})", R"({"$bytes":"===="})",
        R"({"$bytes":"Z=g="})", R"({"$bytes":"Zm9v\n"})", R"({"$bytes":"Zm-_"})", R"({"$bytes":7})"}) {
    refused(text, {"line 1", "base64"});
  }
}

TEST_CASE("a member named like bytes beside others is a member") {
  CHECK(from_json(R"({"$bytes":"Zg==","a":1})") == result<value>(value::map{{"$bytes", "Zg=="}, {"a", 1}}));
}

TEST_CASE("what is wrong is named with line and column") {
  refused("", {"line 1, column 1"});
  refused("{\n  \"a\": 1,\n  \"b\" 2\n}", {"line 3, column 7"});
  refused("[1, 2", {"line 1, column 5"});
  refused("[1,]", {"line 1, column 4"});
  refused("{'a':1}", {"line 1, column 2"});
  refused("1 2", {"line 1, column 3"});
  refused("[] // comment");
  refused("\"\n\"", {"line 1, column 1"});
  refused("\xef\xbb");
}

TEST_CASE("a member that is there twice is refused, on any level") {
  refused("{\"a\": 1,\n \"a\": 2}", {"line 2, column 4", "\"a\"", "twice"});
  refused(R"([{"x":{"b":1,"b":1}}])", {"\"b\""});
  CHECK(from_json(R"([{"a":1},{"a":1,"b":{"a":1}}])"));
}

TEST_CASE("JSON may be 64 levels deep, but not 65, however deep it goes on") {
  CHECK(from_json(lists(64)));
  refused(lists(65), {"line 1, column 65", "64 levels"});
  refused(std::string(1 << 20, '['), {"line 1, column 65"});
  std::string objects;
  for (int i = 0; i < 10'000; ++i) objects += "{\"a\":";
  refused(objects, {"64 levels"});
  CHECK(from_json("7", {.depth = 0}));
  refused("[]", {"0 levels"}, {.depth = 0});
}

TEST_CASE("JSON beyond the limit of bytes is refused unread") {
  CHECK(from_json("[1,2]", {.bytes = 5}));
  refused("[1,2]", {"5 bytes", "at most 4"}, {.bytes = 4});
}

TEST_CASE("JSON with broken bytes is a value or refused") {
  auto seed = std::random_device()();
  CAPTURE(seed);
  std::mt19937 random(seed);
  const std::string good = R"({"a":[1,-2.5e3,null,true,"\u00e4\n"],"b":{"$bytes":"Zm9v"},"c":{"d":[[{}]]}})";
  for (int round = 0; round < 5'000; ++round) {
    auto text = good;
    for (int i = 0; i < 2; ++i)
      text[random() % text.size()] = random() % 2 ? good[random() % good.size()] : static_cast<char>(random());
    auto v = from_json(text);
    if (v) CHECK(from_json(to_json(*v)) == v);
    if (!v) CHECK(v.error().what.starts_with("line "));
  }
}
