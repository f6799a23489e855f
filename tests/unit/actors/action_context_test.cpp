#include "actors/action_context.hpp"

#include <doctest/doctest.h>

using namespace flock;

TEST_CASE("a context comes back from its value") {
  const action_context sent{"life.1", true, {{*node_id::parse("bender0"), "file[/tmp/fubar]", "create"}}};

  CHECK(action_context::from_value(sent.to_value()) == sent);
}

TEST_CASE("all members of a context may be left out") {
  CHECK(action_context::from_value(value::map()) == action_context());
}

TEST_CASE("a context names the member that is wrong") {
  const auto cause = value::map{{"node", "bender0"}, {"resource", 1}, {"action", "create"}};

  CHECK(action_context::from_value(value::map{{"why_run", 1}}).error().what ==
        "why_run: expected a boolean, found integer");
  CHECK(action_context::from_value(value::map{{"causes", value::list{cause}}}).error().what ==
        "causes: resource: expected text, found integer");
}
