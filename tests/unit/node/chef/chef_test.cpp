#include "node/chef/chef.hpp"

#include "actors/resource/resource_type.hpp"
#include "tests/support/small_flock.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

// What Chef declares and takes over restarts, other runs and resource files: a chef in a node, with runs by hand.

using namespace flock;
using namespace flock::testing;
using namespace std::chrono_literals;

namespace {

using lines = std::vector<std::string>;

resource_name name(std::string_view text) { return *resource_name::parse(text); }

/// A machine on which no Chef runs, with a file of an older flockd perhaps.
struct old_machine : machine {
  std::optional<std::string> file;

  result<reading> read_again() override { return error{error_code::io, "no files here"}; }
  std::optional<std::string> chef_file(const config&) override { return file; }
  void forget_chef_file(const config&) override { file.reset(); }
  bool is_chef_locked(const config&) override { return false; }
  void start_chef(const config&, chef_runs::reason, chef_ended) override {}
};

struct fixture : small_flock {
  old_machine on;
  std::set<resource_name> in_files;
  member& a = start("a", false);
  std::optional<chef> runs;
  lines given;  // to runs
  std::vector<std::int64_t> numbers;
  std::shared_ptr<void> connection;
  lines log;
  lines answers;

  ~fixture() { end(); }

  void end() {
    connection.reset();
    for (auto& [name, m] : members) m.core->stop([] {});
    settle();
    runs.reset();
  }
  void begin_life() {
    runs.emplace(chef::surroundings{*a.core, time, on, [this](auto, const std::string& text) { log.push_back(text); }},
                 config(),
                 chef::host{.notify = [](auto, auto) {},
                            .leave = [](auto&) {},
                            .was_updated = [](auto&, auto&, auto&) { return std::vector<wanted_action>(); },
                            .is_declared = [this](const resource_name& n) { return in_files.contains(n); },
                            .subscriptions_changed = [] {}});
    a->home().post([this] {
      runs->start();
      a.core->resume();
    });
    settle();
  }
  void next_life() {
    connection.reset();
    kill("a");
    runs.reset();
    auto& m = members.at("a");
    m.disk->crash();
    m.disk->release();
    start("a", false);
    begin_life();
  }
  std::string begin_run() {
    std::string id;
    connection = runs->begin(
        value::map{}, [&](const result<value>& r) { id = *(*r)["run"].as_text(); },
        [this](const value& told) {
          given.push_back(*told["action"].as_text());
          numbers.push_back(*told["notification"].as_int());
        });
    settle();
    return id;
  }
  value tell(const std::string& run, chef::run_word word, std::string_view body) {
    std::optional<result<value>> answer;
    runs->tell(run, word, *from_json(body), [&](result<value> r) { answer = std::move(r); });
    settle();
    REQUIRE(answer);
    REQUIRE_MESSAGE(*answer, body);
    return **answer;
  }
  /// A run that declares these.
  std::string run_with(std::string_view resources) {
    const auto run = begin_run();
    tell(run, chef::run_word::resources, "{\"resources\": " + std::string(resources) + "}");
    return run;
  }
  std::string notify(const std::string& resource, const std::string& action) {
    std::string made;
    a->home().post([this, resource, action, &made] {
      a.core->notify({.resource = name(resource), .action = action, .where = {.nodes = {id("a")}}, .causes = {}},
                     [&made](result<std::vector<notifier::sent>> sent) { made = sent->front().id; });
    });
    settle();
    return made;
  }
  const notification_record& record(const std::string& of) { return *a->deliveries().records().find(of); }
};

const std::string_view x_runs = R"([{"resource": "execute[x]", "actions": ["run"]}])";

/// Performs nothing, as its threads are not run.
struct idle_provider final : provider {
  action_report perform(std::string_view, const attempt&) const override { return {.how = outcome::updated}; }
};

const resource_type file_type{"execute", {describe_action("run", "")}, {}};

}  // namespace

TEST_CASE_FIXTURE(fixture, "what a run took and did not report is performed by the next one, marked and counted") {
  begin_life();
  run_with(x_runs);
  const auto n = notify("execute[x]", "run");
  CHECK(record(n).state() == receipt_state::started);
  CHECK(record(n).attempts == 1);
  CHECK_FALSE(record(n).redelivered());
  connection.reset();  // it was killed
  settle();

  const auto next = run_with(x_runs);

  CHECK(given == lines{"run", "run"});
  CHECK(record(n).attempts == 2);
  tell(next, chef::run_word::performed,
       "{\"notification\": " + std::to_string(numbers.back()) + R"(, "outcome": "updated"})");
  CHECK(record(n).state() == receipt_state::succeeded);
  CHECK(record(n).redelivered());
}

TEST_CASE_FIXTURE(fixture, "what Chef declared is there after a crash of flockd") {
  begin_life();
  run_with(x_runs);

  next_life();

  CHECK(runs->resources() == std::vector{name("execute[x]")});
  CHECK(a->actors().has(name("execute[x]").actor()));
}

TEST_CASE_FIXTURE(fixture, "a run that declares while the disk is full goes on, and is told that no restart keeps it") {
  const auto declared = std::string("{\"resources\": ") + std::string(x_runs) + "}";
  begin_life();
  CHECK(tell(begin_run(), chef::run_word::resources, declared) == *from_json(R"({"durable": true})"));
  connection.reset();
  settle();

  a.disk->fill(true);
  const auto more = R"({"resources": [{"resource": "execute[y]", "actions": ["run"]}], "add": true})";
  CHECK(tell(begin_run(), chef::run_word::resources, more) == *from_json(R"({"durable": false})"));
  CHECK(runs->resources() == std::vector{name("execute[x]"), name("execute[y]")});
  next_life();

  CHECK(runs->resources() == std::vector{name("execute[x]")});
}

TEST_CASE_FIXTURE(fixture, "the file of an older flockd is taken over, and goes when the journal has it") {
  on.file = R"({"resources": {"execute[old]": ["run"]}, "subscribes": [], "about": null})";
  a.disk->hold();
  begin_life();
  CHECK(runs->resources() == std::vector{name("execute[old]")});
  CHECK(on.file);

  a.disk->release();
  settle();
  CHECK_FALSE(on.file);
  next_life();

  CHECK(runs->resources() == std::vector{name("execute[old]")});
}

TEST_CASE_FIXTURE(fixture, "a file that cannot be read is told of, and stays") {
  on.file = "{";
  begin_life();

  CHECK(runs->resources().empty());
  CHECK(on.file);
  REQUIRE(log.size() == 1);
  CHECK(log[0].starts_with("chef.json: "));
}

TEST_CASE_FIXTURE(fixture, "what is declared with other actions keeps its actor and what waits for it") {
  begin_life();
  run_with(x_runs);
  connection.reset();
  settle();
  const auto n = notify("execute[x]", "run");

  run_with(R"([{"resource": "execute[x]", "actions": ["run", "nothing"]}])");

  CHECK(given == lines{"run"});
  CHECK(record(n).state() == receipt_state::started);
  CHECK_FALSE(contains(events(a), "unpublished"));
  CHECK(a->actors().find(name("execute[x]").actor())->methods.size() == 3);
}

TEST_CASE_FIXTURE(fixture, "what waits for a resource that Chef declares no more is refused with the reason") {
  begin_life();
  run_with(x_runs);
  connection.reset();
  settle();
  const auto n = notify("execute[x]", "run");

  run_with("[]");

  CHECK(given.empty());
  CHECK(record(n).state() == receipt_state::failed);
  CHECK(record(n).last().why->what == "execute[x]: run: not begun, as it is declared no more");
}

TEST_CASE_FIXTURE(fixture,
                  "a file that declares Chef's resource gets what waits for it, but not what a run has in hand") {
  begin_life();
  run_with(x_runs);
  notify("execute[x]", "run");
  CHECK(given.size() == 1);

  CHECK(runs->yield(name("execute[x]")).empty());
  connection.reset();
  settle();
  CHECK(runs->yield(name("execute[x]")).size() == 1);
  CHECK(runs->yield(name("execute[x]")).empty());
}

TEST_CASE_FIXTURE(fixture,
                  "what waits for a resource that leaves the files goes on with Chef, if it declares that action") {
  in_files = {name("execute[x]")};
  begin_life();
  run_with(x_runs);
  connection.reset();
  settle();
  auto work = std::make_shared<resource_work>(
      resource_work::surroundings{threads, time, {}, [](std::string_view) {}, [](auto&, auto&, auto&) {}},
      std::make_shared<const declaration>(declaration{
          .name = name("execute[x]"), .type = &file_type, .what = std::make_shared<idle_provider>(), .action = "run"}));
  const auto add = [&](const std::string& action) {
    work->add(
        action,
        {{}, [] { return true; }, [this](result<value> r) { answers.push_back(r ? "well" : to_string(r.error())); }});
  };
  add("run");  // under way, as far as it knows
  add("burn");
  add("run");

  in_files.clear();
  CHECK(runs->take_over(name("execute[x]"), *work));
  CHECK_FALSE(runs->take_over(name("execute[y]"), *work));

  CHECK(answers == lines{"no_such_method: execute[x] has no action burn, now that Chef declares it"});
  CHECK((runs->status())["waiting"] == value(1));
}
