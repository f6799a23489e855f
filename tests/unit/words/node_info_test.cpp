#include <flock/node_info.hpp>

#include <doctest/doctest.h>

namespace {

using namespace flock;
using enum node_state;

const node_id bender = *node_id::parse("bender");
const node_life first_life{{0, 1}, "host:1", "0.1.0", wall_time(milliseconds(1000))};

}  // namespace

TEST_CASE("every name of a node's state is read back") {
  for (int i = 1; i <= static_cast<int>(last_node_state); ++i) {
    auto state = static_cast<node_state>(i);
    CHECK(node_state_from(to_string(state)) == state);
  }
  CHECK_FALSE(node_state_from("asleep"));
}

TEST_CASE("what a node publishes comes back as it was written") {
  node_attributes about{"production", {"web"}, {"apache2"}, {"blue"}, value::map{{"kernel", "linux"}}};

  CHECK(node_life::from_value(first_life.to_value()) == first_life);
  CHECK(node_attributes::from_value(about.to_value()) == about);
  CHECK(node_attributes::from_value(value::map{}) == node_attributes());
}

TEST_CASE("what a node publishes wrongly is refused with the member's name") {
  auto broken_life = first_life.to_value();
  (*broken_life.as_map())["incarnation"] = "x";
  CHECK(node_life::from_value(broken_life).error().what.starts_with("incarnation: "));
  CHECK(node_life::from_value(value::map{}).error().what == "incarnation: missing");
  CHECK(node_attributes::from_value(value::map{{"roles", "web"}}).error().what == "roles: expected a list, found text");
  CHECK(node_attributes::from_value(value::map{{"attributes", 1}}).error().what ==
        "attributes: expected a map, found integer");
}

TEST_CASE("a node is shown in the shape that scripts rely on") {
  node_info n{
      bender, first_life, suspect, wall_time(milliseconds(1'500)), {"production", {"web"}, {"apache2"}, {"blue"}, {}}};

  CHECK(
      to_json(n.to_value()) ==
      R"({"address":"host:1","environment":"production","id":"bender","incarnation":"00000000000000000000000000000001",)"
      R"("recipes":["apache2"],"roles":["web"],"since":"1970-01-01T00:00:01.500Z","state":"suspect","tags":["blue"],)"
      R"("version":"0.1.0"})");
}

TEST_CASE("a query sees the attributes and what Chef knows of each node") {
  node_info n{bender, first_life, alive, {}, {"production", {"web"}, {"apache2", "nginx::proxy"}, {"blue"}, {}}};
  n.about.attributes = value::map{{"cpu", 8}, {"name", "an impostor"}};

  CHECK(
      to_json(n.document()) ==
      R"({"chef_environment":"production","cpu":8,"name":"bender","recipe":["apache2","apache2::default","nginx::proxy"],)"
      R"("recipes":["apache2","apache2::default","nginx::proxy"],"role":["web"],"roles":["web"],)"
      R"("run_list":["role[web]","recipe[apache2]","recipe[nginx::proxy]"],"tags":["blue"]})");
}
