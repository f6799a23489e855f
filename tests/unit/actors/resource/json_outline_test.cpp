#include "actors/resource/json_outline.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace flock;

TEST_CASE("an outline knows the line of each member and element, and the order of the outermost keys") {
  const json_outline outline(R"({
  "zebra[a/b]": {"content": "} \" ]",
    "list": [1, [2,
      3], {"deep": null}]
  },
  "ant\"\u0041": {}, "empty": []
})");

  CHECK(outline.keys() == std::vector<std::string>{"zebra[a/b]", "ant\"A", "empty"});
  CHECK(outline.line_of({"zebra[a/b]"}) == 2);
  CHECK(outline.line_of({"zebra[a/b]", "content"}) == 2);
  CHECK(outline.line_of({"zebra[a/b]", "list"}) == 3);
  CHECK(outline.line_of({"zebra[a/b]", "list", "1", "1"}) == 4);
  CHECK(outline.line_of({"zebra[a/b]", "list", "2", "deep"}) == 4);
  CHECK(outline.line_of({"ant\"A"}) == 6);
}

TEST_CASE("what is not there has the line of what is around it") {
  const json_outline outline("{\n\"a\": {\n\"b\": 1}}");

  CHECK(outline.line_of({"a", "c"}) == 2);
  CHECK(outline.line_of({"x"}) == 1);
}

TEST_CASE("any text has an outline, though it be no JSON") {
  for (const char* text : {"", "{", "[", "\"", "{\"a", "{\"a\":", "[1,", "{\"a\": \"\\", "]", "{,}", "[,,"}) {
    CHECK(json_outline(text).line_of({}) == 1);
  }
}

TEST_CASE("of a text that is nested more deeply than JSON may be, what is not too deep has an outline") {
  CHECK(json_outline(std::string(1'000'000, '[')).line_of({"0"}) == 1);
  CHECK(json_outline("{\n\"a\":" + std::string(1'000'000, '[')).line_of({"a", "0"}) == 2);
}
