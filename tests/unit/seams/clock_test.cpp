#include <flock/clock.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace std::chrono_literals;
using flock::error_code;
using flock::format_duration;
using flock::format_time;
using flock::milliseconds;
using flock::parse_duration;
using flock::parse_time;
using flock::wall_time;

TEST_CASE("a duration is a number and a unit") {
  CHECK(parse_duration("250ms") == flock::result<milliseconds>(250ms));
  CHECK(parse_duration("5s") == flock::result<milliseconds>(5s));
  CHECK(parse_duration("2m") == flock::result<milliseconds>(2min));
  CHECK(parse_duration("24h") == flock::result<milliseconds>(24h));
  CHECK(parse_duration("7d") == flock::result<milliseconds>(7 * 24h));
  CHECK(parse_duration("0s") == flock::result<milliseconds>(0ms));
  CHECK(parse_duration("007s") == flock::result<milliseconds>(7s));
}

TEST_CASE("a duration without a unit, with a wrong one or with anything else is refused") {
  for (const char* text : {"", "5", "s", "ms", "5S", "5 s", " 5s", "5s ", "5sec", "5us", "-5s", "+5s", "1.5s", "1h30m",
                           "0x5s", "five seconds"}) {
    CAPTURE(text);
    auto d = parse_duration(text);
    REQUIRE_FALSE(d);
    CHECK(d.error().code == error_code::bad_argument);
    CHECK(d.error().what.find("\"" + std::string(text) + "\"") != std::string::npos);
  }
}

TEST_CASE("a duration of more than ten years is refused, however long its number") {
  CHECK(parse_duration("3650d") == flock::result<milliseconds>(3650 * 24h));
  CHECK(parse_duration("315360000000ms") == flock::result<milliseconds>(3650 * 24h));
  for (const char* text : {"3651d", "315360000001ms", "106751991168d", "18446744073709551615s",
                           "18446744073709551616ms", "99999999999999999999999999999999999999h"}) {
    CAPTURE(text);
    auto d = parse_duration(text);
    REQUIRE_FALSE(d);
    CHECK(d.error().what.find("10 years") != std::string::npos);
  }
}

TEST_CASE("a duration is written in the largest unit that says it exactly") {
  CHECK(format_duration(0ms) == "0s");
  CHECK(format_duration(250ms) == "250ms");
  CHECK(format_duration(1000ms) == "1s");
  CHECK(format_duration(1001ms) == "1001ms");
  CHECK(format_duration(90s) == "90s");
  CHECK(format_duration(120s) == "2m");
  CHECK(format_duration(24h) == "1d");
  CHECK(format_duration(25h) == "25h");
  for (auto d : {1ms, 59'999ms, milliseconds(61s), milliseconds(3650 * 24h)}) {
    CHECK(parse_duration(format_duration(d)) == flock::result<milliseconds>(d));
  }
}

TEST_CASE("a time is written as RFC 3339 in UTC with milliseconds") {
  CHECK(format_time(wall_time()) == "1970-01-01T00:00:00.000Z");
  CHECK(format_time(wall_time(1769903999123ms)) == "2026-01-31T23:59:59.123Z");
  CHECK(format_time(wall_time(-1ms)) == "1969-12-31T23:59:59.999Z");
  CHECK(format_time(wall_time(951782400000ms)) == "2000-02-29T00:00:00.000Z");
}

TEST_CASE("a time that was written is read back") {
  for (auto t : {0ms, 1ms, -1ms, 951782400000ms, 1769903999123ms, 253402300799999ms}) {
    CHECK(parse_time(format_time(wall_time(t))) == flock::result<wall_time>(wall_time(t)));
  }
}

TEST_CASE("a time is read in every form of RFC 3339") {
  auto expected = flock::result<wall_time>(wall_time(1769903999000ms));
  auto later = [](milliseconds by) { return flock::result<wall_time>(wall_time(1769903999000ms + by)); };

  CHECK(parse_time("2026-01-31T23:59:59Z") == expected);
  CHECK(parse_time("2026-01-31t23:59:59z") == expected);
  CHECK(parse_time("2026-01-31 23:59:59Z") == expected);
  CHECK(parse_time("2026-01-31T23:59:59+00:00") == expected);
  CHECK(parse_time("2026-02-01T01:29:59+01:30") == expected);
  CHECK(parse_time("2026-01-31T15:59:59-08:00") == expected);
  CHECK(parse_time("2026-01-31T23:59:59.1Z") == later(100ms));
  CHECK(parse_time("2026-01-31T23:59:59.12Z") == later(120ms));
  CHECK(parse_time("2026-01-31T23:59:59.123999999999999999999Z") == later(123ms));
  CHECK(parse_time("2026-01-31T23:59:60Z") == later(1s));
}

TEST_CASE("what is no RFC 3339 time is refused") {
  for (const char* text : {"",
                           "2026",
                           "2026-01-31",
                           "2026-01-31T23:59:59",
                           "2026-01-31T23:59:59.Z",
                           "2026-01-31T23:59Z",
                           "2026-02-29T00:00:00Z",
                           "2026-13-01T00:00:00Z",
                           "2026-00-01T00:00:00Z",
                           "2026-01-00T00:00:00Z",
                           "2026-01-32T00:00:00Z",
                           "2026-01-31T24:00:00Z",
                           "2026-01-31T23:60:00Z",
                           "2026-01-31T23:59:61Z",
                           "2026-01-31T23:59:59Zx",
                           "2026-01-31T23:59:59+24:00",
                           "2026-01-31T23:59:59+0100",
                           "2026-01-31T23:59:59+01",
                           "-026-01-31T23:59:59Z",
                           "26-01-31T23:59:59Z",
                           "2026/01/31T23:59:59Z",
                           " 2026-01-31T23:59:59Z",
                           "tomorrow"}) {
    CAPTURE(text);
    auto t = parse_time(text);
    REQUIRE_FALSE(t);
    CHECK(t.error().code == error_code::bad_argument);
  }
}

TEST_CASE("the machine's clock goes forward and knows this century") {
  auto before = flock::system_clock().now();

  CHECK(flock::system_clock().now() >= before);
  CHECK(flock::system_clock().wall() > *parse_time("2020-01-01T00:00:00Z"));
}
