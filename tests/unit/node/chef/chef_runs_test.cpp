#include "node/chef/chef_runs.hpp"

#include "tests/support/checked.hpp"
#include "tools/sim/manual_clock.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <optional>
#include <vector>

using namespace flock;
using namespace std::chrono_literals;
using flock::testing::checked;
using flock::testing::manual_clock;

namespace {

using lines = std::vector<std::string>;

bool may_begin() { return true; }

/// A node whose Chef does what the test says.
struct fixture : chef_runs::host {
  void give(const chef_runs::errand& what) override { given.push_back(what); }
  bool is_locked() override { return locked; }
  void start_command(chef_runs::reason why) override { started.emplace_back(to_string(why)); }
  void wake_at(time_point when) override { woken_at = when; }

  void want(const std::string& action, const std::string& notification = {}) {
    runs.perform({.resource = *resource_name::parse("execute[x]"),
                  .action = action,
                  .why = {.run = {}, .causes = {}, .notification = notification}},
                 may_begin, [this, action](result<value> how) {
                   answers.push_back(action + ": " + (how ? to_json(*how) : to_string(how.error())));
                 });
  }
  void pass(milliseconds time_by) {
    time.advance(time_by);
    runs.wake();
  }
  /// A run that takes what waits.
  std::string run_begins() {
    auto id = runs.begin(false);
    REQUIRE(id);
    runs.ready();
    return *id;
  }
  lines actions_given() const {
    lines out;
    for (const auto& w : given) out.push_back(w.action);
    return out;
  }

  manual_clock time;
  bool locked = false;
  std::vector<chef_runs::errand> given;
  lines started;
  lines answers;
  std::optional<time_point> woken_at;
  checked<chef_runs> runs{"life", time, *this, {.can_start = true}};
};

const value done = value::map{{"outcome", "updated"}};

}  // namespace

TEST_CASE_FIXTURE(fixture, "a run takes what waits once it has declared its resources") {
  want("run");
  REQUIRE(runs.begin(false));
  CHECK(given.empty());

  runs.ready();
  want("stop");
  CHECK(actions_given() == lines{"run", "stop"});

  CHECK(runs.performed(given[0].number, done));
  CHECK(answers == lines{R"(run: {"outcome":"updated"})"});
}

TEST_CASE_FIXTURE(fixture, "what is wanted again while it waits is performed once, for all who want it") {
  want("run", "bender0-1");
  want("run", "bender2-7");
  CHECK(runs.waiting() == 2);

  run_begins();
  REQUIRE(given.size() == 1);
  CHECK(given[0].why.notification == "bender0-1");
  CHECK(given[0].why.joined == lines{"bender2-7"});

  CHECK(runs.performed(given[0].number, done));
  CHECK(answers ==
        lines{R"(run: {"outcome":"updated"})", R"(run: {"outcome":"updated","performed_with":"bender0-1"})"});
}

TEST_CASE_FIXTURE(fixture, "start, stop, start stay three, and what a run has had is not what comes then") {
  for (const char* action : {"start", "stop", "start"}) want(action);
  run_begins();
  want("start");

  CHECK(actions_given() == lines{"start", "stop", "start", "start"});
}

TEST_CASE_FIXTURE(fixture, "of those who want the same, one whose time has passed is left out") {
  runs.perform(
      {.resource = *resource_name::parse("execute[x]"),
       .action = "run",
       .why = {.run = {}, .causes = {}, .notification = "late"}},
      [] { return false; }, [](result<value>) {});
  want("run", "bender0-1");

  run_begins();
  REQUIRE(given.size() == 1);
  CHECK(given[0].why.notification == "bender0-1");
  CHECK(given[0].why.joined.empty());
}

TEST_CASE_FIXTURE(fixture, "between runs one is started for many, after a while, and one at a time") {
  want("run");
  want("stop");
  pass(99ms);
  CHECK(started.empty());

  pass(1ms);
  CHECK(started == lines{"notified"});

  want("start");
  pass(10s);
  CHECK(started.size() == 1);
}

TEST_CASE_FIXTURE(fixture, "what comes after a run waits a second since its end, unless a run is requested") {
  want("run");
  pass(100ms);
  run_begins();
  CHECK(runs.performed(given[0].number, done));
  runs.end(true, "");
  runs.command_ended(0, "");

  SUBCASE("for a notification") {
    want("stop");
    pass(999ms);
    CHECK(started.size() == 1);
    pass(1ms);
    CHECK(started.size() == 2);
  }
  SUBCASE("for a request") {
    CHECK(runs.request());
    CHECK(started.size() == 2);
  }
}

TEST_CASE_FIXTURE(fixture, "what comes while a run is under way needs no other") {
  run_begins();
  want("run");
  pass(10s);
  CHECK(started.empty());

  CHECK(runs.performed(given[0].number, done));
  runs.end(true, "");
  pass(10s);
  CHECK(started.empty());
}

TEST_CASE_FIXTURE(fixture, "no run is started while somebody holds Chef's lock") {
  locked = true;
  want("run");
  pass(1s);
  pass(1s);
  CHECK(started.empty());

  locked = false;
  pass(1s);
  CHECK(started == lines{"notified"});
}

TEST_CASE_FIXTURE(fixture, "what a run was given and did not perform is given to the next") {
  run_begins();
  want("run");
  runs.end(false, "its connection ended");
  CHECK(answers.empty());

  run_begins();
  REQUIRE(actions_given() == lines{"run", "run"});
  CHECK(runs.performed(given[1].number, done));
  CHECK(answers.size() == 1);
}

TEST_CASE_FIXTURE(fixture, "a recipe that does not compile costs three runs, with pauses that grow") {
  want("run");
  pass(1s);
  runs.command_ended(1, "no such recipe");
  pass(1999ms);
  CHECK(started.size() == 1);
  pass(1ms);
  CHECK(started.size() == 2);

  runs.command_ended(1, "no such recipe");
  pass(3999ms);
  CHECK(started.size() == 2);
  pass(1ms);
  CHECK(started.size() == 3);
  CHECK(answers.empty());

  runs.command_ended(1, "no such recipe");
  CHECK(answers == lines{"run: io: given up after 3 runs: the Chef run failed: exit status 1\nno such recipe"});
  pass(1h);
  CHECK(started.size() == 3);
}

TEST_CASE_FIXTURE(fixture, "what three runs took, and ended without a word of, may have been done") {
  want("run");
  for (int i = 0; i < 3; ++i) {
    run_begins();
    runs.end(false, "its connection ended");
  }
  CHECK(answers == lines{"run: maybe_done: given up after 3 runs: the Chef run ended without a word of it: its "
                         "connection ended"});
}

TEST_CASE_FIXTURE(fixture, "an action begins when a run takes it, and once more when the next one does") {
  int begun = 0;
  runs.perform(
      {.resource = *resource_name::parse("execute[x]"), .action = "run"}, [&] { return ++begun > 0; },
      [](result<value>) {});
  CHECK(begun == 0);

  run_begins();
  runs.end(false, "its connection ended");
  CHECK(begun == 1);
  run_begins();
  CHECK(begun == 2);
  CHECK(given.size() == 2);
}

TEST_CASE_FIXTURE(fixture, "what may not begin any more is given to no run") {
  runs.perform(
      {.resource = *resource_name::parse("execute[x]"), .action = "run"}, [] { return false; }, [](result<value>) {});
  want("stop");

  run_begins();
  CHECK(actions_given() == lines{"stop"});
  CHECK(runs.waiting() == 1);
}

TEST_CASE_FIXTURE(fixture, "a failed run does not count against what it was not given") {
  run_begins();
  runs.end(false, "a resource failed");
  want("run");
  for (int i = 0; i < 3; ++i) {
    REQUIRE(runs.begin(false));
    runs.end(false, "a resource failed");
  }
  CHECK(answers.empty());
}

TEST_CASE_FIXTURE(fixture, "a run in why-run mode takes nothing") {
  want("run");
  REQUIRE(runs.begin(true));
  runs.ready();
  CHECK(given.empty());

  runs.end(true, "");
  pass(1s);
  CHECK(started == lines{"notified"});
}

TEST_CASE_FIXTURE(fixture, "there is one run at a time") {
  run_begins();

  CHECK(runs.begin(false).error().code == error_code::conflict);
}

TEST_CASE_FIXTURE(fixture, "a command that only wakes Chef has a minute until its run begins") {
  want("run");
  pass(1s);
  runs.command_ended(0, "");
  pass(59s);
  CHECK(started.size() == 1);

  SUBCASE("and its run takes what waits") {
    run_begins();
    CHECK(runs.performed(given[0].number, done));
    runs.end(true, "");
    CHECK(runs.last()["success"] == value(true));
  }
  SUBCASE("and without one it is tried again") {
    pass(1s);
    pass(2s);
    CHECK(started.size() == 2);
  }
}

TEST_CASE_FIXTURE(fixture, "a request starts a run at once, and waits for its end") {
  const auto number = runs.request();
  CHECK(*number == 1);
  CHECK(started == lines{"requested"});
  lines ends;
  runs.when_ended(*number, [&](result<value> how) { ends.push_back(to_json((*how)["success"])); });

  run_begins();
  runs.end(true, "");
  CHECK(ends.empty());  // its command has not ended

  runs.command_ended(0, "");
  CHECK(ends == lines{"true"});
}

TEST_CASE_FIXTURE(fixture, "requests while a run is under way are one run after it") {
  run_begins();
  CHECK(*runs.request() == 2);
  CHECK(*runs.request() == 2);
  CHECK(started.empty());

  runs.end(true, "");
  CHECK(started == lines{"requested"});
}

TEST_CASE_FIXTURE(fixture, "how a run went is known when others have ended since") {
  CHECK(*runs.request() == 1);
  runs.command_ended(7, "no space left");
  CHECK(*runs.request() == 2);
  runs.command_ended(9, "killed");

  lines ends;
  for (const std::uint64_t number : {1, 2})
    runs.when_ended(number, [&](result<value> how) { ends.push_back(to_json((*how)["output"])); });
  CHECK(ends == lines{R"("no space left")", R"("killed")"});
}

TEST_CASE_FIXTURE(fixture, "a command that comes with a new configuration starts a run for what waits") {
  runs.allow_start(false);
  want("run");
  pass(1h);
  CHECK(started.empty());

  runs.allow_start(true);
  pass(1s);
  CHECK(started == lines{"notified"});
}

TEST_CASE_FIXTURE(fixture, "a failed run says why") {
  CHECK(runs.request());
  runs.command_ended(7, "no space left");

  CHECK(runs.last()["success"] == value(false));
  CHECK(runs.last()["error"] == value("exit status 7"));
  CHECK(runs.last()["output"] == value("no space left"));
}

TEST_CASE_FIXTURE(fixture, "a run has only so many in hand") {
  checked<chef_runs> narrow("life", time, *this, {.given = 2});
  REQUIRE(narrow.begin(false));
  narrow.ready();
  for (const char* action : {"a", "b", "c"})
    narrow.perform({.resource = *resource_name::parse("execute[x]"), .action = action}, may_begin,
                   [](result<value>) {});
  CHECK(actions_given() == lines{"a", "b"});

  CHECK(narrow.performed(given[0].number, done));
  CHECK(actions_given() == lines{"a", "b", "c"});
}

TEST_CASE_FIXTURE(fixture, "beyond its bound nothing more waits") {
  checked<chef_runs> narrow("life", time, *this, {.waiting = 1});
  std::optional<result<value>> second;
  narrow.perform({.resource = *resource_name::parse("execute[x]"), .action = "run"}, may_begin, [](result<value>) {});
  narrow.perform({.resource = *resource_name::parse("execute[x]"), .action = "run"}, may_begin,
                 [&](result<value> how) { second = std::move(how); });

  REQUIRE(second);
  CHECK(second->error().code == error_code::refused);
}

TEST_CASE_FIXTURE(fixture, "without a command nothing is started, and a request is refused") {
  checked<chef_runs> without("life", time, *this, {});
  without.perform({.resource = *resource_name::parse("execute[x]"), .action = "run"}, may_begin, [](result<value>) {});
  time.advance(1h);
  without.wake();

  CHECK(started.empty());
  CHECK(without.request().error().code == error_code::refused);
}

TEST_CASE_FIXTURE(fixture, "what waits when the node stops is left to its next life") {
  want("run");
  runs.stop();
  want("stop");

  CHECK(answers == lines{"run: shutting_down: this node stops", "stop: shutting_down: this node stops"});
}

TEST_CASE_FIXTURE(fixture, "an answer nobody waits for is an error") {
  run_begins();

  CHECK(runs.performed(7, done).error().code == error_code::not_found);
}

TEST_CASE_FIXTURE(fixture, "a run knows why it was given something, until it ends") {
  run_begins();
  runs.perform({.resource = *resource_name::parse("execute[x]"),
                .action = "run",
                .why = {.run = {}, .causes = {{*node_id::parse("fry"), "file[y]", "create"}}}},
               may_begin, [](result<value>) {});
  const auto number = given[0].number;
  CHECK(runs.performed(number, done));
  REQUIRE(runs.why(number));
  CHECK(runs.why(number)->causes.size() == 1);

  runs.end(true, "");
  CHECK_FALSE(runs.why(number));
}
