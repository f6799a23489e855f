#include "libflock/membership/directory.hpp"
#include <flock/value_cast.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <utility>

// The nodes that a location means.

namespace {

using namespace flock;

const node_life only_life{{0, 1}, "host:1", "0.1.0", {}};

/// Three nodes beside this one; fry is suspect, zoidberg dead.
struct crew {
  directory nodes{*node_id::parse("me"), {}};

  crew() {
    add("bender", {"production", {"web", "base"}, {"apache2"}, {}, value::map{{"cpu", 8}}});
    add("fry", {"production", {"web"}, {"apache2::default"}, {}, value::map{{"cpu", 2}}});
    add("me", {"dev", {"web"}, {}, {}, {}});
    add("zoidberg", {"production", {"web"}, {}, {}, value::map{{"cpu", 8}}});
    nodes.disconnected(*node_id::parse("fry"), only_life.life, {}, {});
    nodes.disconnected(*node_id::parse("zoidberg"), only_life.life, {}, {});
    nodes.dial_failed(*node_id::parse("zoidberg"), true, {}, {});
  }

  void add(std::string_view id, node_attributes about) {
    nodes.connected(*node_id::parse(id), only_life, {}, {});
    nodes.described(*node_id::parse(id), std::move(about));
  }

  std::string select(std::string_view json) const {
    auto chosen = nodes.select(*location::from_value(*from_json(json)));
    return chosen ? to_json(to_value(*chosen)) : to_string(chosen.error());
  }
};

}  // namespace

TEST_CASE("a location selects living nodes that match all of it") {
  crew c;

  CHECK(c.select(R"({"roles": "web"})") == R"(["bender","fry","me"])");
  CHECK(c.select(R"({"roles": ["web", "base"]})") == R"(["bender"])");
  CHECK(c.select(R"({"roles": "web", "environment": "production"})") == R"(["bender","fry"])");
  CHECK(c.select(R"({"recipes": "apache2::default"})") == R"(["bender","fry"])");
  CHECK(c.select(R"({"recipes": "apache2"})") == R"(["bender","fry"])");
  CHECK(c.select(R"({"query": "cpu:[4 TO *]"})") == R"(["bender"])");
  CHECK(c.select(R"({"query": "chef_environment:dev OR name:fry"})") == R"(["fry","me"])");
  CHECK(c.select(R"({"node": ["fry", "me"], "environment": "production"})") == R"(["fry"])");
}

TEST_CASE("names alone select these nodes, dead and unknown ones too") {
  crew c;

  CHECK(c.select(R"({"node": ["zoidberg", "leela", "bender", "leela"]})") == R"(["bender","leela","zoidberg"])");
}

TEST_CASE("any selects this node, else an alive one, else a suspect one") {
  crew c;

  CHECK(c.select(R"({"roles": "web", "any": true})") == R"(["me"])");
  CHECK(c.select(R"({"environment": "production", "any": true})") == R"(["bender"])");
  CHECK(c.select(R"({"query": "cpu:2", "any": true})") == R"(["fry"])");
  CHECK(c.select(R"({"node": ["aaa", "zoidberg", "fry"], "any": true})") == R"(["fry"])");
}

TEST_CASE("a location that nobody matches is an error that says which") {
  crew c;

  CHECK(c.select(R"({"roles": "db", "environment": "dev"})") ==
        "not_found: no node matches role:db AND environment:dev");
  CHECK(c.nodes.select({}).error() == error{error_code::bad_argument, "an empty location"});
  CHECK(c.nodes.select({.query = "web"}).error().code == error_code::bad_argument);
}
