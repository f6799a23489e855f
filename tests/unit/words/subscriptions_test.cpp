#include "libflock/words/subscriptions.hpp"

#include "tests/support/checked.hpp"

#include <doctest/doctest.h>

namespace {

using namespace flock;
using flock::testing::checked;

resource_name resource(std::string_view text) { return *resource_name::parse(text); }

wish a_wish(std::string id, std::string_view watched) {
  return {std::move(id), resource(watched), resource("execute[toast]"), "run", timing::immediately};
}

const node_id fry = *node_id::parse("fry");
const node_id leela = *node_id::parse("leela");

}  // namespace

TEST_CASE("a subscription's id is the same after each start") {
  location where{.roles = {"web"}};
  auto make = [&](std::string action, timing when) {
    return subscription::make(resource("file[/tmp/fubar]"), where, resource("execute[toast]"), std::move(action), when);
  };

  CHECK(make("run", timing::delayed).id == "74fad3aa9dddf550");
  CHECK(make("run", timing::delayed) == make("run", timing::delayed));
  CHECK(make("run", timing::delayed).id != make("run", timing::immediately).id);
  CHECK(make("run", timing::delayed).id != make("nothing", timing::delayed).id);
}

TEST_CASE("a subscription is shown with all its members") {
  auto s = subscription::make(resource("file[/tmp/fubar]"), {.nodes = {fry}}, resource("execute[toast]"), "run",
                              timing::delayed);
  s.id = "x";

  CHECK(to_json(s.to_value()) == R"({"action":"run","id":"x","publishers":{"node":"fry"},"resource":"execute[toast]",)"
                                 R"("timing":"delayed","watched":"file[/tmp/fubar]"})");
}

TEST_CASE("a wish comes back as it was written") {
  auto w = a_wish("1", "file[/tmp/fubar]");
  auto wrong = w.to_value();
  (*wrong.as_map())["timing"] = "sometimes";

  CHECK(wish::from_value(w.to_value()) == w);
  CHECK(wish::from_value(wrong).error().what == "timing: \"sometimes\" is none of immediately, delayed, before");
  CHECK(wish::from_value(value::map{{"id", "1"}}).error().what == "watched: missing");
}

TEST_CASE("an update matches the wishes for that resource, by subscriber and in their order") {
  checked<subscription_table> table(subscription_table::limits{});
  table.replace(leela, {a_wish("2", "file[a]"), a_wish("other", "file[b]"), a_wish("1", "file[a]")}).value();
  table.replace(fry, {a_wish("3", "file[a]")}).value();

  CHECK(table.matching(resource("file[a]")) == std::vector<subscription_table::match>{{fry, a_wish("3", "file[a]")},
                                                                                      {leela, a_wish("2", "file[a]")},
                                                                                      {leela, a_wish("1", "file[a]")}});
  CHECK(table.matching(resource("file[c]")).empty());
  CHECK(table.all().size() == 4);
}

TEST_CASE("what a subscriber no longer wishes is gone") {
  checked<subscription_table> table(subscription_table::limits{});
  table.replace(fry, {a_wish("1", "file[a]"), a_wish("2", "file[b]")}).value();

  CHECK(table.replace(fry, {a_wish("2", "file[b]")}) == true);

  CHECK(table.matching(resource("file[a]")).empty());
  CHECK(table.matching(resource("file[b]")).size() == 1);
}

TEST_CASE("replacing wishes tells whether anything changed") {
  checked<subscription_table> table(subscription_table::limits{});

  CHECK(table.replace(fry, {}) == false);
  CHECK(table.replace(fry, {a_wish("1", "file[a]")}) == true);
  CHECK(table.replace(fry, {a_wish("1", "file[a]")}) == false);
  CHECK(table.replace(fry, {}) == true);
  CHECK(table.all().empty());
}

TEST_CASE("a forgotten subscriber has no wishes") {
  checked<subscription_table> table(subscription_table::limits{});
  table.replace(fry, {a_wish("1", "file[a]")}).value();
  table.replace(leela, {a_wish("2", "file[a]")}).value();

  table.forget(fry);
  table.forget(fry);

  CHECK(table.matching(resource("file[a]")).size() == 1);
}

TEST_CASE("too many wishes are refused and change nothing") {
  checked<subscription_table> table({.wishes_per_node = 1});
  table.replace(fry, {a_wish("1", "file[a]")}).value();

  auto refused = table.replace(fry, {a_wish("2", "file[b]"), a_wish("3", "file[c]")});

  CHECK(refused.error() == error{error_code::refused, "fry has 2 subscriptions; 1 are allowed"});
  CHECK(table.matching(resource("file[a]")).size() == 1);
}
