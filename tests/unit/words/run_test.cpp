#include "libflock/words/run.hpp"

#include "tests/support/checked.hpp"
#include "tests/support/noted_debts.hpp"

#include <doctest/doctest.h>

namespace {

using namespace flock;
using flock::testing::checked;

wanted_action want(std::string_view json) {
  auto w = wanted_action::from_value(*from_json(json));
  REQUIRE_MESSAGE(w, json);
  return *std::move(w);
}

std::string error_of(std::string_view json) { return wanted_action::from_value(*from_json(json)).error().what; }

wanted_action toast(timing when, on_outcome on = on_outcome::always, std::string node = "bender") {
  return {*resource_name::parse("execute[toast]"), "run", {.nodes = {*node_id::parse(node)}}, when, on, {}};
}

flock::testing::noted_debts owed;
checked<run> a_run(bool why_run = false) {
  owed = {};
  return {"1", wall_time(), why_run, owed};
}

using wants = std::vector<wanted_action>;

/// Without where they are owed.
wants plain(wants all) {
  for (auto& w : all) w.debt = 0;
  return all;
}

}  // namespace

TEST_CASE("a wanted action is immediate and unconditional unless it says otherwise") {
  auto w = want(R"({"action": "run", "resource": "execute[toast]", "node": "bender"})");

  CHECK(w == toast(timing::immediately));
}

TEST_CASE("a wanted action comes back as it was written") {
  auto w = want(R"({"action": "run", "resource": "execute[toast]", "roles": ["web"], "environment": "production",
                    "any": true, "timing": "delayed", "on": "failure"})");

  CHECK(w.when == timing::delayed);
  CHECK(w.on == on_outcome::failure);
  CHECK(w.where.environment == "production");
  CHECK(wanted_action::from_value(w.to_value()) == w);
}

TEST_CASE("a wanted action that is wrong is refused with the member's name") {
  CHECK(error_of(R"({"resource": "execute[toast]", "node": "bender"})") == "action: missing");
  CHECK(error_of(R"({"action": "", "resource": "execute[toast]", "node": "bender"})") == "action: an empty name");
  CHECK(error_of(R"({"action": "run", "node": "bender"})") == "resource: missing");
  CHECK(error_of(R"({"action": "run", "resource": "toast", "node": "bender"})").starts_with("resource: "));
  CHECK(error_of(R"({"action": "run", "resource": "execute[toast]", "node": "bender", "timing": "soon"})") ==
        "timing: \"soon\" is none of immediately, delayed, before");
  CHECK(error_of(R"({"action": "run", "resource": "execute[toast]", "node": "bender", "on": 1})") ==
        "on: expected text, found integer");
  CHECK(error_of(R"({"action": "run", "resource": "execute[toast]", "node": "bender", "when": "now"})") ==
        "when: no such member");
  CHECK(error_of(R"({"action": "run", "resource": "execute[toast]"})") ==
        "a location needs a node, role, recipe, environment or query");
  CHECK(error_of("[]") == "expected a map, found list");
}

TEST_CASE("immediate actions are sent at once, those for before too") {
  auto r = a_run();

  CHECK(plain(r.updated({toast(timing::immediately), toast(timing::delayed), toast(timing::before)})) ==
        wants{toast(timing::immediately), toast(timing::before)});
  CHECK(r.delayed() == 1);
}

TEST_CASE("a delayed action is sent once at the end for each target") {
  auto r = a_run();
  auto fry = toast(timing::delayed, on_outcome::always, "fry"), bender = toast(timing::delayed);
  r.updated({fry, bender});
  r.updated({bender, fry, fry});

  CHECK(plain(r.finish(true)) == wants{fry, bender});
  CHECK(r.finish(true).empty());
}

TEST_CASE("a failed run sends what was delayed, unless it is for success only") {
  auto always = toast(timing::delayed), success = toast(timing::delayed, on_outcome::success, "fry"),
       failure = toast(timing::delayed, on_outcome::failure, "leela");
  auto failed = a_run(), succeeded = a_run();
  failed.updated({always, success, failure});
  succeeded.updated({always, success, failure});

  CHECK(plain(failed.finish(false)) == wants{always, failure});
  CHECK(plain(succeeded.finish(true)) == wants{always, success});
}

TEST_CASE("a wish for success does not hide the same wish for failure") {
  auto success = toast(timing::delayed, on_outcome::success), failure = toast(timing::delayed, on_outcome::failure),
       always = toast(timing::delayed);
  auto failed = a_run(), succeeded = a_run();
  failed.updated({success, failure, always});
  succeeded.updated({success, failure, always});

  CHECK(plain(failed.finish(false)) == wants{failure});
  CHECK(plain(succeeded.finish(true)) == wants{success});
}

TEST_CASE("a run whose end nobody will see gives back what was delayed, whatever that depends on") {
  auto always = toast(timing::delayed), success = toast(timing::delayed, on_outcome::success, "fry");
  auto r = a_run();
  r.updated({always, success});

  CHECK(plain(r.leave()) == wants{always, success});
  CHECK(r.finish(true).empty());
}

TEST_CASE("a run that only asks why sends nothing and owes nothing") {
  auto r = a_run(true);

  CHECK(r.updated({toast(timing::immediately), toast(timing::delayed)}).empty());
  CHECK(r.finish(true).empty());
  CHECK(owed.happened.empty());
}

TEST_CASE("what a run wants is owed from the update on, once for each target, until it is sent or will not be") {
  auto success = toast(timing::delayed, on_outcome::success, "fry"),
       failure = toast(timing::delayed, on_outcome::failure, "leela");
  auto r = a_run();

  const auto now = r.updated({toast(timing::immediately), toast(timing::delayed), success, failure});
  r.updated({toast(timing::delayed)});
  CHECK(now.front().debt == 1);
  CHECK(owed.open == std::set<debts::number>{1, 2, 3, 4});
  const auto at_the_end = r.finish(true);

  REQUIRE(at_the_end.size() == 2);
  CHECK(at_the_end[0].debt == 2);
  CHECK(at_the_end[1].debt == 3);
  CHECK(owed.happened == std::vector<std::string>{"owe now 1 execute[toast]", "owe 2 execute[toast]",
                                                  "owe 3 execute[toast]", "owe 4 execute[toast]", "due 3", "settle 4"});
}

TEST_CASE("what a run owes when it is left is still owed") {
  auto r = a_run();
  r.updated({toast(timing::delayed)});

  CHECK(r.leave().front().debt == 1);
  CHECK(owed.open.contains(1));
}

TEST_CASE("what has several causes takes those by which it does not go round, if there are any") {
  const auto by = [](const char* node) { return cause{*node_id::parse(node), "execute[x]", "run"}; };
  wanted_action w;
  w.resource = *resource_name::parse("execute[x]");
  w.action = "run";
  w.causes = {by("a"), by("b")};
  w.other_causes = {{by("a"), by("c")}};

  CHECK(w.causes_for(*node_id::parse("c")) == w.causes);
  CHECK(w.causes_for(*node_id::parse("b")) == w.other_causes[0]);
  CHECK(w.causes_for(*node_id::parse("a")) == w.causes);  // and will be refused
}
