#include "libflock/values/presentable.hpp"

#include <flock/name.hpp>

#include <doctest/doctest.h>

#include <string>

using flock::internal::presentable;

TEST_CASE("a text of up to a kilobyte stays as it is") {
  CHECK(presentable("").empty());
  CHECK(presentable(std::string(1024, 'x')) == std::string(1024, 'x'));
}

TEST_CASE("of a longer text its beginning and its end are left") {
  const auto text = presentable("\"" + std::string(1'000'000, 'x') + "\" is no path");

  CHECK(text.size() == 1024);
  CHECK(text.starts_with("\"xxx"));
  CHECK(text.ends_with("xxx\" is no path"));
  CHECK(text.find("x...x") != text.npos);
}

TEST_CASE("what is left of a text has whole characters") {
  for (std::size_t shift = 0; shift < 4; ++shift) {
    std::string text(shift, 'x');
    while (text.size() < 5'000) text += "\xf0\x9f\x98\x80";

    CHECK(flock::is_printable_utf8(presentable(text)));
    CHECK(presentable(text).size() <= 1024);
  }
}

TEST_CASE("what a terminal would obey is shown by its bytes") {
  CHECK(presentable("a\x1b[31m\nb") == "a\\x1b[31m\\x0ab");
  CHECK(presentable("\xff") == "\\xff");
  CHECK(presentable("\xc3\xa4") == "\xc3\xa4");
  CHECK(presentable(std::string(10'000, '\x80')).size() > 1000);
  CHECK(presentable(std::string(10'000, '\x80')).size() <= 1024);
}
