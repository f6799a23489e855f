#include "tools/bench/jute.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

using namespace std::string_literals;
using namespace std::string_view_literals;
using flock::bench::jute_reader;
using flock::bench::jute_writer;

TEST_CASE("what ZooKeeper is told is read back") {
  jute_writer out;
  out.number(-2).long_number(1LL << 40).flag(true).text("a/b").number(2).text("").text("c");

  CHECK(out.str() == "\xff\xff\xff\xfe\0\0\1\0\0\0\0\0\1\0\0\0\3a/b\0\0\0\2\0\0\0\0\0\0\0\1c"s);
  jute_reader in(out.str());
  CHECK(in.number() == -2);
  CHECK(in.long_number() == 1LL << 40);
}

TEST_CASE("texts and lists are read; none is written as -1") {
  const auto written = jute_writer().text("x").number(-1).number(2).text("a").text("b").str();

  jute_reader in(written);

  CHECK(in.text() == "x");
  CHECK(in.text() == "");
  CHECK(in.texts() == std::vector<std::string>{"a", "b"});
  CHECK(in.is_good());
}

TEST_CASE("what is cut short is noticed, whatever length it claims") {
  jute_reader number("\0\0\1"sv);
  jute_reader text(
      "\x7f\xff\xff\xff"
      "abc"sv);
  jute_reader list("\x7f\xff\xff\xff\0\0\0\1a"sv);

  CHECK(number.number() == 0);
  CHECK(!number.is_good());
  CHECK(text.text() == "");
  CHECK(!text.is_good());
  CHECK(list.texts().size() <= 2);
  CHECK(!list.is_good());
}
