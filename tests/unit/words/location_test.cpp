#include "libflock/words/location.hpp"

#include <doctest/doctest.h>

namespace {

using namespace flock;

result<location> read(std::string_view json) { return location::from_value(*from_json(json)); }

}  // namespace

TEST_CASE("a location reads one name or a list of them") {
  CHECK(read(R"({"node": "bender1"})")->nodes == std::vector{*node_id::parse("bender1")});
  CHECK(read(R"({"node": ["bender1", "bender2"]})")->nodes.size() == 2);
  CHECK(read(R"({"roles": "web"})")->roles == std::vector<std::string>{"web"});
  CHECK(read(R"({"roles": ["web", "base"], "role": "db"})")->roles == std::vector<std::string>{"web", "base", "db"});
  CHECK(read(R"({"recipe": "apache2"})")->recipes == std::vector<std::string>{"apache2"});
}

TEST_CASE("a location comes back as it was written") {
  auto where = read(R"({"node": ["a", "b"], "roles": "web", "recipes": ["x", "y"], "environment": "production",
                        "query": "tags:blue", "any": true})");
  auto one = read(R"({"node": "a"})");

  REQUIRE(where);
  CHECK(location::from_value(where->to_value()) == *where);
  CHECK(to_json(one->to_value()) == R"({"node":"a"})");
}

TEST_CASE("only a location without conditions names its nodes outright") {
  CHECK(read(R"({"node": "a"})")->only_names());
  CHECK_FALSE(read(R"({"node": "a", "role": "web"})")->only_names());
}

TEST_CASE("a location is shown as people would say it") {
  auto shown = [](std::string_view json) { return to_string(*read(json)); };

  CHECK(shown(R"({"role": "web", "environment": "production"})") == "role:web AND environment:production");
  CHECK(shown(R"({"node": ["a", "b"], "any": true})") == "any of node:a,b");
  CHECK(shown(R"({"recipe": "x", "query": "a:b OR c:d"})") == "recipe:x AND (a:b OR c:d)");
  CHECK(to_string(location{}) == "nowhere");
}

TEST_CASE("a location that is wrong is refused with the member's name") {
  auto error_of = [](std::string_view json) { return read(json).error().what; };

  CHECK(error_of("{}") == "a location needs a node, role, recipe, environment or query");
  CHECK(error_of(R"({"any": true})") == "a location needs a node, role, recipe, environment or query");
  CHECK(error_of(R"({"rolle": "web"})") == "rolle: no such member");
  CHECK(error_of(R"({"role": 3})") == "role: expected text or a list of texts, found integer");
  CHECK(error_of(R"({"roles": ["web", ""]})") == "roles: an empty name");
  CHECK(error_of(R"({"roles": ["web", 1]})") == "roles: element 1: expected text, found integer");
  CHECK(error_of(R"({"node": "a b"})").starts_with("node: node id \"a b\""));
  CHECK(error_of(R"({"query": "web"})") == "query: query \"web\": column 1: expected key:value");
  CHECK(error_of("[]") == "expected a map, found list");
}
