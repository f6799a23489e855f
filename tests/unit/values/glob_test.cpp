#include "libflock/values/glob.hpp"

#include <doctest/doctest.h>

using flock::escape_glob;
using flock::fits_glob;

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

TEST_CASE("a hostile glob ends soon") {
  std::string pattern, text(1000, 'a');
  for (int i = 0; i < 50; ++i) pattern += "a*";

  CHECK_FALSE(fits_glob(pattern + "b", text));
}
