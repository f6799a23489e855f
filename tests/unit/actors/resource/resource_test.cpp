#include "actors/resource/resource.hpp"

#include "tools/sim/manual_runtime.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <stdexcept>

using namespace flock;
using flock::testing::manual_clock;
using flock::testing::manual_runtime;

namespace {

/// Does what the test says, and writes down what it was asked.
class fake_provider final : public provider {
 public:
  action_report perform(std::string_view action, const attempt& how) const override {
    asked.push_back(std::string(action) + (how.why_run ? " in why-run" : ""));
    if (throws) throw std::runtime_error("thrown");
    return next;
  }
  bool may_block() const override { return blocks; }
  command guard() const override { return {.cwd = folder}; }

  mutable std::vector<std::string> asked;
  action_report next{.how = outcome::updated, .output = "done"};
  bool blocks = true;
  bool throws = false;
  std::string folder = "/";
};

const resource_type fake_type{
    "fake",
    {describe_action("make", "makes it"), describe_action("burn", "burns it"), describe_action("nothing", "")},
    {}};

struct fixture {
  manual_clock time;
  manual_runtime threads{time};
  std::stop_source stop;
  std::shared_ptr<fake_provider> behind = std::make_shared<fake_provider>();
  std::shared_ptr<declaration> declared = std::make_shared<declaration>(
      declaration{.name = *resource_name::parse("fake[x]"), .type = &fake_type, .what = behind, .action = "make"});
  const asker us{*node_id::parse("springfield")};
  std::vector<std::string> happened;
  action_context last_update;

  std::shared_ptr<resource_work> work;

  std::unique_ptr<resource> make() {
    work = std::make_shared<resource_work>(
        resource_work::surroundings{
            threads, time, stop.get_token(), [](std::string_view) {},
            [this](const resource_name& what, const std::string& action, const action_context& why) {
              happened.push_back(what.str() + " updated by " + action + " in run " + why.run);
              last_update = why;
            }},
        declared);
    return std::make_unique<resource>(work);
  }

  void call(resource& of, std::string_view action, value::list arguments, responder answer) {
    of.call(
        us, action, std::move(arguments), [] { return true; }, std::move(answer));
  }

  /// As an actor host does for a notification, until whose time `may_begin` is true.
  void ask(resource& of, std::string action, std::string id, bool may_begin = true, std::vector<cause> causes = {}) {
    of.call(
        us, action, {action_context{.causes = std::move(causes), .notification = id}.to_value()},
        [this, id, may_begin] {
          happened.push_back(id + (may_begin ? " begins" : " is too late"));
          return may_begin;
        },
        note(id));
  }

  responder note(std::string label) {
    return
        [this, label](result<value> r) { happened.push_back(label + ": " + (r ? to_json(*r) : to_string(r.error()))); };
  }
};

const std::string done = R"({"exit_status":0,"outcome":"updated","output":"done"})";

}  // namespace

TEST_CASE_FIXTURE(fixture, "an action runs on a thread that may block, and its update is told before its answer") {
  const auto actor = make();

  call(*actor, "make", {action_context{.run = "r1"}.to_value()}, note("make"));
  CHECK(happened.empty());
  threads.run_ready();

  CHECK(happened == std::vector<std::string>{"fake[x] updated by make in run r1", "make: " + done});
}

TEST_CASE_FIXTURE(fixture, "an action that cannot block runs in its turn") {
  behind->blocks = false;
  const auto actor = make();

  call(*actor, "make", {}, note("make"));

  CHECK(happened.back() == "make: " + done);
}

TEST_CASE_FIXTURE(fixture, "actions are performed one at a time, in the order in which they were asked for") {
  const auto actor = make();

  call(*actor, "make", {}, note("1"));
  call(*actor, "burn", {}, note("2"));
  call(*actor, "make", {}, note("3"));
  threads.run_one();
  CHECK(behind->asked == std::vector<std::string>{"make"});
  threads.run_ready();

  CHECK(behind->asked == std::vector<std::string>{"make", "burn", "make"});
}

TEST_CASE_FIXTURE(fixture, "an action that finds all as it should be updates nothing") {
  behind->next = {.how = outcome::up_to_date};
  const auto actor = make();

  call(*actor, "make", {}, note("make"));
  threads.run_ready();

  CHECK(happened == std::vector<std::string>{R"(make: {"exit_status":0,"outcome":"up_to_date","output":""})"});
}

TEST_CASE_FIXTURE(fixture, "an action that fails answers with what came of it, and why") {
  const auto actor = make();
  behind->next = {outcome::failed, 3, "first\nlast\n", error{error_code::io, "exit status 3"}};
  call(*actor, "make", {}, note("make"));
  threads.run_ready();
  CHECK(happened.back() == R"(make: {"error":{"code":"io","message":"fake[x]: make: exit status 3"},)"
                           R"("exit_status":3,"outcome":"failed","output":"first\nlast\n"})");

  behind->next = action_report::failed({error_code::not_found, "no such user"});
  call(*actor, "burn", {}, note("burn"));
  threads.run_ready();
  CHECK(happened.back() == R"(burn: {"error":{"code":"not_found","message":"fake[x]: burn: no such user"},)"
                           R"("exit_status":null,"outcome":"failed","output":""})");
}

TEST_CASE_FIXTURE(fixture,
                  "an action of which nobody can tell whether it was done is an error that quotes its output") {
  behind->next = {outcome::failed, 143, "first\n" + std::string(10'000, 'x') + "\nlast\n",
                  error{error_code::maybe_done, "cancelled"}};
  const auto actor = make();

  call(*actor, "make", {}, note("make"));
  threads.run_ready();

  CHECK(happened == std::vector<std::string>{"make: maybe_done: fake[x]: make: cancelled\nlast"});
}

TEST_CASE_FIXTURE(fixture, "actions that wait together are performed once and answered each, in their order") {
  const auto actor = make();
  ask(*actor, "make", "1");

  ask(*actor, "make", "2");
  ask(*actor, "make", "3");
  CHECK(happened.empty());
  threads.run_ready();

  CHECK(behind->asked == std::vector<std::string>{"make", "make"});
  const std::string together = R"({"exit_status":0,"outcome":"updated","output":"done","performed_with":"2"})";
  CHECK(happened == std::vector<std::string>{"1 begins", "fake[x] updated by make in run ", "1: " + done, "2 begins",
                                             "3 begins", "fake[x] updated by make in run ", "2: " + done,
                                             "3: " + together});
}

TEST_CASE_FIXTURE(fixture, "an action does not join the same one before another, or of another run or mode") {
  const auto actor = make();
  call(*actor, "nothing", {}, note("0"));
  call(*actor, "make", {}, note("under way"));

  for (const char* action : {"make", "burn", "make", "make", "burn", "burn"}) call(*actor, action, {}, note(action));
  call(*actor, "burn", {action_context{.run = "r1"}.to_value()}, note("run"));
  call(*actor, "burn", {action_context{.run = "r1", .why_run = true}.to_value()}, note("why-run"));
  threads.run_ready();

  CHECK(behind->asked == std::vector<std::string>{"make", "make", "burn", "make", "burn", "burn", "burn in why-run"});
}

TEST_CASE_FIXTURE(fixture, "an action begins when it is performed, and not at all for those whose time has passed") {
  const auto actor = make();
  ask(*actor, "make", "slow");
  ask(*actor, "burn", "late", false);
  ask(*actor, "burn", "in time");
  ask(*actor, "make", "later", false);

  threads.run_ready();

  CHECK(behind->asked == std::vector<std::string>{"make", "burn"});
  std::erase_if(happened, [](const std::string& line) { return line.starts_with("fake[x] updated"); });
  CHECK(happened == std::vector<std::string>{"slow begins", "slow: " + done, "late is too late", "in time begins",
                                             "in time: " + done, "later is too late"});
}

TEST_CASE_FIXTURE(fixture, "the update of several that were performed together has the causes of each") {
  const cause a{*node_id::parse("a"), "log[x]", "write"}, b{*node_id::parse("b"), "log[x]", "write"};
  const auto actor = make();
  ask(*actor, "burn", "under way");

  ask(*actor, "make", "1", true, {a});
  ask(*actor, "make", "2", true, {b});
  threads.run_ready();

  CHECK(last_update.causes == std::vector<cause>{a});
  CHECK(last_update.other_causes == std::vector<std::vector<cause>>{{b}});
}

TEST_CASE_FIXTURE(fixture, "an action that throws fails, and the next one is performed") {
  behind->throws = true;
  const auto actor = make();

  call(*actor, "make", {}, note("1"));
  call(*actor, "make", {}, note("2"));
  threads.run_ready();

  CHECK(happened ==
        std::vector<std::string>{"1: maybe_done: fake[x]: make: thrown", "2: maybe_done: fake[x]: make: thrown"});
}

TEST_CASE_FIXTURE(fixture, "an unknown action is answered with those that there are") {
  call(*make(), "run", {}, note("run"));

  CHECK(happened ==
        std::vector<std::string>{"run: no_such_method: fake[x] has no action run; there are make, burn, nothing"});
}

TEST_CASE_FIXTURE(fixture, "an argument that is no context is refused") {
  const auto actor = make();

  call(*actor, "make", {3}, note("kind"));
  call(*actor, "make", {value::map{{"run", 3}}}, note("member"));
  call(*actor, "make", {value::map(), value::map()}, note("count"));

  CHECK(happened == std::vector<std::string>{"kind: bad_argument: argument 1: expected a map, found integer",
                                             "member: bad_argument: argument 1: run: expected text, found integer",
                                             "count: bad_argument: an action takes one argument at most, got 2"});
  CHECK(behind->asked.empty());
}

TEST_CASE_FIXTURE(fixture, "in why-run mode nothing is updated and nothing is remembered") {
  const auto actor = make();

  call(*actor, "make", {action_context{.run = "r1", .why_run = true}.to_value()}, note("make"));
  threads.run_ready();
  call(*actor, "state", {}, [](result<value> r) { CHECK((*r)["action"].is_null()); });

  CHECK(behind->asked == std::vector<std::string>{"make in why-run"});
  CHECK(happened == std::vector<std::string>{"make: " + done});
}

TEST_CASE_FIXTURE(fixture, "nothing is done by nothing") {
  const auto actor = make();

  call(*actor, "nothing", {}, note("nothing"));

  CHECK(behind->asked.empty());
  CHECK(happened == std::vector<std::string>{
                        R"(nothing: {"exit_status":0,"outcome":"skipped","output":"skipped due to action nothing"})"});
}

TEST_CASE_FIXTURE(fixture, "guards decide whether an action is performed") {
  SUBCASE("all of them let it pass") {
    declared->guards = {{"true", "test $(pwd) = /"}, {"false"}};
    const auto actor = make();
    call(*actor, "make", {}, note("make"));
    threads.run_ready();
    CHECK(happened.back() == "make: " + done);
  }
  SUBCASE("only_if forbids") {
    declared->guards = {{"true", "false"}, {}};
    const auto actor = make();
    call(*actor, "make", {}, note("make"));
    threads.run_ready();
    CHECK(happened.back() ==
          R"(make: {"exit_status":0,"outcome":"skipped","output":"skipped due to only_if `false`"})");
  }
  SUBCASE("not_if forbids") {
    declared->guards = {{}, {"true"}};
    const auto actor = make();
    call(*actor, "make", {}, note("make"));
    threads.run_ready();
    CHECK(happened.back() == R"(make: {"exit_status":0,"outcome":"skipped","output":"skipped due to not_if `true`"})");
  }
  SUBCASE("one that cannot be asked is a failure") {
    behind->folder = "/no/such/folder";
    declared->guards = {{"true"}, {}};
    const auto actor = make();
    call(*actor, "make", {}, note("make"));
    threads.run_ready();
    CHECK(happened.back().find("fake[x]: make: guard `true`: cannot change to directory /no/such/folder") !=
          std::string::npos);
    CHECK(behind->asked.empty());
  }
}

TEST_CASE_FIXTURE(fixture, "while the node stops no action begins") {
  const auto actor = make();
  ask(*actor, "make", "1");
  stop.request_stop();

  threads.run_ready();

  CHECK(behind->asked.empty());
  CHECK(happened == std::vector<std::string>{"1: shutting_down: fake[x]: make: not begun, as the node is stopping"});
}

TEST_CASE_FIXTURE(fixture, "a guarded action may block, though the action itself cannot") {
  behind->blocks = false;
  declared->guards.only_if = {"true"};
  const auto actor = make();

  call(*actor, "make", {}, note("make"));

  CHECK(happened.empty());
}

TEST_CASE_FIXTURE(fixture, "state tells how the last action ended") {
  const auto actor = make();
  std::deque<value> states;
  const auto look = [&] { call(*actor, "state", {}, [&](result<value> r) { states.push_back(*r); }); };

  look();
  call(*actor, "make", {action_context{.run = "r1"}.to_value()}, note("make"));
  look();
  threads.run_ready();
  look();
  behind->next = action_report::failed({error_code::io, "no"});
  call(*actor, "burn", {}, note("burn"));
  threads.run_ready();
  look();

  CHECK(to_json(states[0]) == R"({"action":null,"actions":["make","burn","nothing"],"at":null,"error":null,)"
                              R"("outcome":null,"resource":"fake[x]","run":null,"state":"idle"})");
  CHECK(states[1]["state"] == value("running"));
  CHECK(to_json(states[2]) == R"({"action":"make","actions":["make","burn","nothing"],"at":"2026-01-31T00:00:00.000Z",)"
                              R"("error":null,"outcome":"updated","resource":"fake[x]","run":"r1","state":"idle"})");
  CHECK(states[3]["outcome"] == value("failed"));
  CHECK(states[3]["error"] == value("fake[x]: burn: no"));
}

TEST_CASE_FIXTURE(fixture, "the methods of a resource are the actions of its type, and state") {
  const auto actor = make();

  std::vector<std::string> names;
  for (const auto& m : actor->methods()) names.push_back(m.name);

  CHECK(names == std::vector<std::string>{"make", "burn", "nothing", "state"});
}

TEST_CASE_FIXTURE(fixture, "more actions than may wait are refused") {
  const auto actor = make();
  const auto ask_for = [&](std::string_view action) { call(*actor, action, {}, [](result<value>) {}); };
  for (std::size_t i = 0; i <= resource_work::max_waiting; ++i) ask_for(i % 2 == 0 ? "make" : "burn");

  call(*actor, "burn", {}, note("one more"));
  CHECK(happened == std::vector<std::string>{"one more: refused: 1000 actions wait for fake[x]"});

  for (auto n = resource_work::max_waiting; n < resource_work::max_waiters; ++n) ask_for("make");
  call(*actor, "make", {}, note("too many"));
  CHECK(happened.back() == "too many: refused: 10000 requests wait for fake[x]");
}

TEST_CASE_FIXTURE(fixture, "when a resource goes, the action under way is answered and those that wait are not done") {
  auto actor = make();
  call(*actor, "make", {}, note("under way"));
  call(*actor, "burn", {}, note("waiting"));

  actor.reset();
  work->withdraw();
  threads.run_ready();

  CHECK(behind->asked == std::vector<std::string>{"make"});
  CHECK(happened == std::vector<std::string>{"waiting: down: fake[x]: burn: not begun, as it is declared no more",
                                             "fake[x] updated by make in run ", "under way: " + done});
}

TEST_CASE_FIXTURE(fixture, "what waits goes on under a new declaration, and the last state is kept") {
  const auto actor = make();
  call(*actor, "make", {}, note("before"));
  threads.run_ready();
  call(*actor, "make", {}, note("under way"));
  call(*actor, "burn", {}, note("waiting"));
  const auto changed = std::make_shared<fake_provider>();
  auto anew = *declared;
  anew.what = changed;

  work->declare(std::make_shared<const declaration>(std::move(anew)));
  call(*actor, "state", {}, note("state"));
  CHECK(happened.back().find(R"("action":"make")") != std::string::npos);
  threads.run_ready();

  CHECK(behind->asked == std::vector<std::string>{"make"});
  CHECK(changed->asked == std::vector<std::string>{"make", "burn"});
  CHECK(happened.back() == "waiting: " + done);
}

TEST_CASE_FIXTURE(fixture, "an actor that is made anew finds what waited for the one before") {
  auto actor = make();
  call(*actor, "make", {}, note("under way"));
  call(*actor, "burn", {}, note("waiting"));

  actor = std::make_unique<resource>(work);
  threads.run_ready();

  CHECK(happened.back() == "waiting: " + done);
}

TEST_CASE_FIXTURE(fixture, "what is released goes on elsewhere, and is not answered twice") {
  const auto actor = make();
  call(*actor, "make", {}, note("under way"));
  call(*actor, "burn", {}, note("waiting"));
  call(*actor, "make", {}, note("last"));
  const auto before = work;
  const auto other = make();  // and the work behind it

  for (auto& w : before->release()) work->take(std::move(w));
  threads.run_ready();

  CHECK(happened.size() == 6);
  CHECK(std::count(happened.begin(), happened.end(), "waiting: " + done) == 1);
  CHECK(std::count(happened.begin(), happened.end(), "last: " + done) == 1);
}
