#include "actors/resource/convergence.hpp"

#include "tests/support/noted_debts.hpp"
#include "tools/sim/manual_clock.hpp"

#include <doctest/doctest.h>

#include <map>
#include <set>
#include <utility>

using namespace flock;
using flock::testing::manual_clock;

namespace {

const auto bender0 = *node_id::parse("bender0");

resource_name name(std::string_view text) { return *resource_name::parse(text); }

declaration declare(std::string_view what, std::string action) {
  return {.name = name(what), .action = std::move(action)};
}

wanted_action want(std::string_view what, timing when, on_outcome on = on_outcome::always) {
  return {.resource = name(what), .action = "run", .where = {.nodes = {bender0}}, .when = when, .on = on, .causes = {}};
}

/// A node whose resources do what the test says.
struct fixture : convergence::host {
  void perform(const resource_name& what, const std::string& action, const action_context& why,
               responder answer) override {
    happened.push_back(action + " " + what.str());
    contexts.push_back(why);
    const auto how = outcomes.contains(what.str()) ? outcomes[what.str()] : outcome::up_to_date;
    if (how == outcome::updated && !why.why_run) runs.updated(wanted[what.str()], why);
    if (how == outcome::failed)
      reply(answer, value(value::map{{"outcome", "failed"},
                                     {"exit_status", 3},
                                     {"output", "no"},
                                     {"error", value::map{{"code", "io"}, {"message", "exit status 3"}}}}));
    else if (refused.contains(what.str()))
      reply(answer, error{error_code::refused, "too many wait"});
    else
      reply(answer, value(value::map{{"outcome", to_string(how)}, {"exit_status", 0}, {"output", "would"}}));
  }
  bool is_awaited(const resource_name& what) override { return !wanted[what.str()].empty(); }
  void send(const wanted_action& what) override {
    happened.push_back("send " + what.resource.str());
    sent.push_back(what);
    owed.settle(what.debt);
    sent.back().debt = 0;
  }

  void leave(run& cut_off) override {
    for (const auto& w : cut_off.leave()) happened.push_back("leave " + w.resource.str());
  }

  void reply(const responder& answer, result<value> with) {
    if (later)
      replies.emplace_back([answer, with] { answer(with); });
    else
      answer(with);
  }
  void start(std::vector<declaration> resources, bool why_run = false) {
    runs.start(resources, why_run, [this](result<value> r) { ended.push_back(std::move(r)); });
  }

  manual_clock time;
  flock::testing::noted_debts owed;
  convergence runs{"life", time, owed, *this};
  std::map<std::string, outcome> outcomes;
  std::set<std::string> refused;
  std::map<std::string, std::vector<wanted_action>> wanted;
  bool later = false;  // answers wait in replies
  std::vector<std::function<void()>> replies;
  std::vector<std::string> happened;
  std::vector<action_context> contexts;
  std::vector<wanted_action> sent;
  std::vector<result<value>> ended;
};

using lines = std::vector<std::string>;

}  // namespace

TEST_CASE_FIXTURE(fixture, "a run performs each resource's action in order and tells how each ended") {
  outcomes = {{"file[/a]", outcome::updated}, {"log[b]", outcome::skipped}};

  start({declare("file[/a]", "create"), declare("log[b]", "write"), declare("execute[c]", "run")});

  CHECK(happened == lines{"create file[/a]", "write log[b]", "run execute[c]"});
  CHECK(contexts[2] == action_context{.run = "life.1"});
  REQUIRE(ended.size() == 1);
  CHECK(*ended[0] == *from_json(R"({
    "run": "life.1", "started": "2026-01-31T00:00:00.000Z", "ended": "2026-01-31T00:00:00.000Z",
    "success": true, "why_run": false, "updated": 1, "notifications": 0,
    "resources": [{"resource": "file[/a]", "action": "create", "outcome": "updated"},
                  {"resource": "log[b]", "action": "write", "outcome": "skipped"},
                  {"resource": "execute[c]", "action": "run", "outcome": "up_to_date"}]})"));
  CHECK(runs.under_way() == nullptr);
}

TEST_CASE_FIXTURE(fixture, "a run over nothing is a success") {
  start({});

  CHECK((*ended.at(0))["success"] == value(true));
}

TEST_CASE_FIXTURE(fixture, "immediate notifications go out straight after the update, delayed ones at the end") {
  outcomes = {{"file[/a]", outcome::updated}, {"file[/b]", outcome::updated}};
  wanted["file[/a]"] = {want("execute[late]", timing::delayed), want("execute[now]", timing::immediately)};
  wanted["file[/b]"] = {want("execute[late]", timing::delayed)};

  start({declare("file[/a]", "create"), declare("file[/b]", "create"), declare("file[/c]", "create")});

  CHECK(happened ==
        lines{"create file[/a]", "send execute[now]", "create file[/b]", "create file[/c]", "send execute[late]"});
  CHECK((*ended.at(0))["notifications"] == value(2));
}

TEST_CASE_FIXTURE(fixture,
                  "a run ends with the first resource that fails, and sends what was delayed unless it is on success") {
  outcomes = {{"file[/a]", outcome::updated}, {"file[/b]", outcome::failed}};
  wanted["file[/a]"] = {want("execute[always]", timing::delayed),
                        want("execute[good]", timing::delayed, on_outcome::success),
                        want("execute[bad]", timing::delayed, on_outcome::failure)};

  start({declare("file[/a]", "create"), declare("file[/b]", "create"), declare("file[/c]", "create")});

  CHECK(happened == lines{"create file[/a]", "create file[/b]", "send execute[always]", "send execute[bad]"});
  CHECK((*ended.at(0))["success"] == value(false));
  CHECK(to_json((*ended.at(0))["resources"].as_list()->back()) ==
        R"({"action":"create","error":"exit status 3","exit_status":3,"outcome":"failed","output":"no",)"
        R"("resource":"file[/b]"})");
}

TEST_CASE_FIXTURE(fixture, "an action that was not performed ends its run as one that failed") {
  refused = {"file[/a]"};

  start({declare("file[/a]", "create"), declare("file[/b]", "create")});

  CHECK(happened == lines{"create file[/a]"});
  CHECK((*ended.at(0))["success"] == value(false));
  CHECK(to_json((*ended.at(0))["resources"].as_list()->back()) ==
        R"({"action":"create","error":"too many wait","outcome":"failed","resource":"file[/a]"})");
}

TEST_CASE_FIXTURE(fixture, "what is asked for within a run is sent at its end, if it ends so") {
  later = true;
  SUBCASE("well") { outcomes = {{"file[/a]", outcome::updated}}; }
  SUBCASE("badly") { outcomes = {{"file[/a]", outcome::failed}}; }
  const bool well = outcomes["file[/a]"] == outcome::updated;
  start({declare("file[/a]", "create")});

  CHECK(runs.delay(want("execute[good]", timing::immediately, on_outcome::success), "life.1") ==
        result<std::string>("life.1"));
  CHECK(runs.delay(want("execute[bad]", timing::delayed, on_outcome::failure), {}));
  CHECK(runs.delay(want("execute[any]", timing::delayed), {}));
  CHECK(happened == lines{"create file[/a]"});
  replies.at(0)();

  const std::string fitting = well ? "send execute[good]" : "send execute[bad]";
  CHECK(happened == lines{"create file[/a]", fitting, "send execute[any]"});
  CHECK((*ended.at(0))["notifications"] == value(2));
}

TEST_CASE_FIXTURE(fixture, "nothing waits for the end of a run that is not under way") {
  CHECK(runs.delay(want("execute[x]", timing::delayed), {}).error() ==
        error{error_code::conflict, "no run is under way on this node"});
  CHECK(runs.delay(want("execute[x]", timing::delayed), "life.7").error() ==
        error{error_code::conflict, "run life.7 has ended"});
  later = true;
  start({declare("file[/a]", "create")});
  CHECK(runs.delay(want("execute[x]", timing::delayed), "life.7").error() ==
        error{error_code::conflict, "run life.7 has ended; under way is life.1"});
  replies.at(0)();
  start({declare("file[/a]", "create")}, true);
  CHECK(runs.delay(want("execute[x]", timing::delayed), {}).error() ==
        error{error_code::conflict, "run life.2 only says what would be done"});
  replies.at(1)();
}

TEST_CASE_FIXTURE(fixture, "in why-run mode nothing is sent and the result says what would be done") {
  outcomes["file[/a]"] = outcome::updated;
  wanted["file[/a]"] = {want("execute[now]", timing::immediately)};

  start({declare("file[/a]", "create")}, true);

  CHECK(happened == lines{"create file[/a]"});
  CHECK(contexts[0].why_run);
  CHECK((*ended.at(0))["why_run"] == value(true));
  CHECK((*ended.at(0))["resources"].as_list()->front()["output"] == value("would"));
}

TEST_CASE_FIXTURE(fixture, "while a run is under way another one is a conflict that says since when") {
  later = true;
  start({declare("file[/a]", "create")});
  time.advance(milliseconds(5'000));

  start({declare("file[/a]", "create")});

  REQUIRE(ended.size() == 1);
  CHECK(ended[0].error() == error{error_code::conflict, "a run is under way since 2026-01-31T00:00:00.000Z"});
  REQUIRE(runs.under_way() != nullptr);
  CHECK(runs.under_way()->id() == "life.1");
  replies.at(0)();
  CHECK((*ended.at(1))["ended"] == value("2026-01-31T00:00:05.000Z"));
}

TEST_CASE_FIXTURE(fixture, "the next run may start from the answer of the one before") {
  runs.start({declare("file[/a]", "create")}, false, [&](result<value>) { start({declare("file[/b]", "create")}); });

  CHECK(happened == lines{"create file[/a]", "create file[/b]"});
  CHECK((*ended.at(0))["run"] == value("life.2"));
}

TEST_CASE_FIXTURE(fixture, "ten thousand resources that answer at once are no deeper than one") {
  start(std::vector<declaration>(10'000, declare("log[a]", "write")));

  CHECK((*ended.at(0))["resources"].as_list()->size() == 10'000);
}

TEST_CASE_FIXTURE(fixture, "an update outside of a run sends all at once, immediate ones first") {
  runs.updated({want("execute[late]", timing::delayed), want("execute[now]", timing::immediately)}, {});

  CHECK(happened == lines{"send execute[now]", "send execute[late]"});
}

TEST_CASE_FIXTURE(fixture, "an update by a notification does not wait for the end of a run that is under way") {
  later = true;
  start({declare("file[/a]", "create")});

  runs.updated({want("execute[late]", timing::delayed)}, {});

  CHECK(happened == lines{"create file[/a]", "send execute[late]"});
  replies.at(0)();
  CHECK((*ended.at(0))["notifications"] == value(0));
}

TEST_CASE_FIXTURE(fixture,
                  "a step whose update somebody waits for begins when that is kept, and owes until all is sent") {
  outcomes = {{"file[/a]", outcome::updated}};
  wanted["file[/a]"] = {want("execute[late]", timing::delayed)};

  start({declare("file[/a]", "create"), declare("file[/b]", "create")});

  CHECK(owed.happened == lines{"intend 1 file[/a]", "owe 2 execute[late]", "settle 1", "settle 2"});
  CHECK(owed.open.empty());
}

TEST_CASE_FIXTURE(fixture, "in why-run mode no step is kept") {
  wanted["file[/a]"] = {want("execute[late]", timing::delayed)};

  start({declare("file[/a]", "create")}, true);

  CHECK(owed.happened.empty());
}

TEST_CASE_FIXTURE(fixture, "a run whose node stops is left when the action in hand has ended, whatever that came to") {
  later = true;
  outcomes = {{"file[/a]", outcome::failed}};
  start({declare("file[/a]", "create"), declare("file[/b]", "create")});
  REQUIRE(runs.delay(want("execute[bad]", timing::delayed, on_outcome::failure), {}));

  runs.stop();
  CHECK(runs.is_performing());
  CHECK(ended.empty());
  replies.at(0)();

  CHECK(happened == lines{"create file[/a]", "leave execute[bad]"});
  CHECK(ended.at(0).error() == error{error_code::shutting_down, "run life.1 was cut off, as this node stops"});
  CHECK_FALSE(runs.is_performing());
  start({declare("file[/a]", "create")});
  CHECK(ended.at(1).error().code == error_code::shutting_down);
}

TEST_CASE_FIXTURE(fixture, "a run whose last action ended well has ended well, though its node stops") {
  later = true;
  start({declare("file[/a]", "create")});

  runs.stop();
  replies.at(0)();

  CHECK((*ended.at(0))["success"] == value(true));
}
