#include "actors/resource/action_context.hpp"

#include <doctest/doctest.h>

using namespace flock;

TEST_CASE("a context comes back from its value") {
  const action_context sent{.run = "life.1",
                            .why_run = true,
                            .causes = {{*node_id::parse("bender0"), "file[/tmp/fubar]", "create"}},
                            .notification = "bender0-1"};

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

TEST_CASE("of what is performed together, only causes that change what goes round are kept") {
  const auto by = [](std::string node) { return cause{*node_id::parse(node), "log[x]", "write"}; };
  using chains = std::vector<std::vector<cause>>;
  const auto chain = [&](std::vector<std::string> nodes) {
    action_context c;
    for (const auto& n : nodes) c.causes.push_back(by(n));
    return c;
  };

  auto both = chain({"a", "b"});
  both.join(chain({"a", "b", "c"}));  // goes round wherever the first does
  CHECK(both.other_causes.empty());
  both.join(chain({"a", "c"}));  // not at b
  both.join(chain({"a", "d"}));  // as before
  CHECK(both.other_causes == chains{chain({"a", "c"}).causes});
  both.join(chain({}));  // nowhere
  both.join(chain({"e"}));
  CHECK(both.other_causes == chains{chain({"a", "c"}).causes, {}});
}

TEST_CASE("what an update wants is wanted because of all that led to the update") {
  const cause first{*node_id::parse("bender8"), "log[x]", "write"},
      second{*node_id::parse("bender9"), "log[x]", "write"}, last{*node_id::parse("bender0"), "file[/a]", "create"};
  wanted_action wanted;

  action_context{.causes = {first}, .other_causes = {{second}}}.leads_to(wanted, last);

  CHECK(wanted.causes == std::vector{first, last});
  CHECK(wanted.other_causes == std::vector<std::vector<cause>>{{second, last}});
}

TEST_CASE("of what is performed together, all notifications are known") {
  action_context first{.notification = "bender0-1"};

  first.join(first);
  first.join({.notification = "bender0-2"});
  first.join({});

  CHECK(first.joined == std::vector<std::string>{"bender0-2"});
}
