#include "actors/resource/declared_members.hpp"

#include <doctest/doctest.h>

using namespace flock;

TEST_CASE("all that is wrong with the members of a declaration is told") {
  const auto given = *from_json(R"({"text": 1, "colour": "red", "count": "many", "good": "yes"})");
  std::string text = "default";
  std::string good;
  std::string absent = "default";
  int count = 7;
  declared_members members(given);

  members.read("text", text);
  members.read("count", count);
  members.read("good", good);
  members.read("absent", absent);

  CHECK(text == "default");
  CHECK(count == 7);
  CHECK(good == "yes");
  CHECK(absent == "default");
  CHECK(members.finish() ==
        std::vector<declared_members::fault>{{"text", "expected text, found integer"},
                                             {"count", "expected an integer, found text"},
                                             {"colour", "unknown member; there are absent, count, good, text"}});
}

TEST_CASE("a duration is text with a unit or a number of seconds, and more than nothing") {
  CHECK(duration_from("90s") == milliseconds(90'000));
  CHECK(duration_from(90) == milliseconds(90'000));
  CHECK(duration_from(0.25) == milliseconds(250));
  CHECK_FALSE(duration_from("90"));
  CHECK_FALSE(duration_from(0));
  CHECK_FALSE(duration_from("0s"));
  CHECK_FALSE(duration_from(-1));
  CHECK_FALSE(duration_from(1e300));
  CHECK_FALSE(duration_from(value::list()));
}

TEST_CASE("a mode is octal text or a number; a number that was meant to be octal is refused") {
  CHECK(mode_from("0644") == 0644U);
  CHECK(mode_from("755") == 0755U);
  CHECK(mode_from("4755") == 04755U);
  CHECK(mode_from(420) == 0644U);
  CHECK(mode_from(644).error().what == R"(644 is no mode of a file: write octal text, like "0644")");
  CHECK_FALSE(mode_from(-1));
  CHECK_FALSE(mode_from(""));
  CHECK_FALSE(mode_from("0648"));
  CHECK_FALSE(mode_from("u=rw"));
  CHECK_FALSE(mode_from("10000"));
  CHECK_FALSE(mode_from(true));
}

TEST_CASE("a list of texts may be one text") {
  CHECK(texts_from("a") == std::vector<std::string>{"a"});
  CHECK(texts_from(value::list{"a", "b"}) == std::vector<std::string>{"a", "b"});
  CHECK_FALSE(texts_from(1));
  CHECK(texts_from(value::list{"a", 1}).error().what == "element 1: expected text, found integer");
}

TEST_CASE("a path begins with a slash") {
  CHECK(absolute_path_from("/tmp/a") == std::string("/tmp/a"));
  CHECK(absolute_path_from("tmp/a").error().what == R"("tmp/a" is no absolute path)");
  CHECK_FALSE(absolute_path_from(""));
  CHECK_FALSE(absolute_path_from(std::string("/tmp\0/a", 7)));
}
