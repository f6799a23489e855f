#include "libflock/values/glob.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using flock::escape_glob;
using flock::glob;

namespace {

bool fits_glob(std::string_view pattern, std::string_view text) { return glob::parse(pattern).value().fits(text); }

}  // namespace

TEST_CASE("a glob without wildcards fits its own text only") {
  CHECK(fits_glob("bender1", "bender1"));
  CHECK_FALSE(fits_glob("bender1", "bender10"));
  CHECK_FALSE(fits_glob("bender1", "bender"));
  CHECK(fits_glob("", ""));
  CHECK_FALSE(fits_glob("", "a"));
}

TEST_CASE("a star stands for any characters, none included") {
  CHECK(fits_glob("*", ""));
  CHECK(fits_glob("service[*]", "service[nginx]"));
  CHECK(fits_glob("*a*b", "xaxbxab"));
  CHECK_FALSE(fits_glob("*a*b", "xaxbxa"));
  CHECK(fits_glob("a**", "a"));
}

TEST_CASE("a question mark stands for one character of any size") {
  CHECK(fits_glob("b?r", "bar"));
  CHECK(fits_glob("b?r", "b\xc3\xa4r"));
  CHECK_FALSE(fits_glob("b?r", "br"));
  CHECK_FALSE(fits_glob("b?r", "baar"));
}

TEST_CASE("a backslash takes a wildcard as it is") {
  CHECK(fits_glob("a\\*", "a*"));
  CHECK_FALSE(fits_glob("a\\*", "ab"));
  CHECK(fits_glob("a\\", "a\\"));
}

TEST_CASE("an escaped text fits itself only") {
  CHECK(fits_glob(escape_glob("execute[a*b?\\]"), "execute[a*b?\\]"));
  CHECK_FALSE(fits_glob(escape_glob("a*"), "ab"));
}

TEST_CASE("a question mark takes no part of a character") {
  CHECK_FALSE(fits_glob("??", "\xc3\xa4"));
  CHECK(fits_glob("*?", "\xc3\xa4\xe2\x82\xac"));
  CHECK_FALSE(fits_glob("*???", "\xc3\xa4\xe2\x82\xac"));
}

TEST_CASE("a long pattern is matched to its end") {
  for (std::size_t size : {62, 63, 64, 65, 127, 128, 129, 4096}) {
    const std::string text(size, 'a');

    CHECK(fits_glob(text, text));
    CHECK_FALSE(fits_glob(text, text + "a"));
    CHECK_FALSE(fits_glob(text, text.substr(1)));
    CHECK(fits_glob(text.substr(1) + "*", text + "b"));
    CHECK_FALSE(fits_glob(text.substr(1) + "?", text + "b"));
  }
}

TEST_CASE("each byte of a text takes a step for 64 characters of the pattern, whatever they are") {
  std::string hostile;
  for (int i = 0; i < 50; ++i) hostile += "a*";
  hostile += "b";

  CHECK(glob::any().steps() == 1);
  CHECK(glob::parse(hostile)->steps() == 1);
  CHECK(glob::parse(std::string(glob::max_size, '?'))->steps() == 65);
  CHECK_FALSE(fits_glob(hostile, std::string(100'000, 'a')));
  CHECK(fits_glob(hostile, std::string(100'000, 'a') + "b"));
}

TEST_CASE("a pattern that is longer than any name is refused") {
  CHECK_FALSE(glob::parse(std::string(glob::max_size + 1, 'a')));
}
