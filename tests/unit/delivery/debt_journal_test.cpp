#include "libflock/delivery/debt_journal.hpp"

#include "tools/sim/manual_clock.hpp"
#include "tools/sim/manual_runtime.hpp"
#include "tools/sim/manual_storage.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace {

using namespace flock;
using flock::testing::manual_clock;
using flock::testing::manual_runtime;
using flock::testing::manual_storage;

const auto bender0 = *node_id::parse("bender0");
const auto file = *resource_name::parse("file[/a]");

wanted_action toast(on_outcome on = on_outcome::always) {
  return {.resource = *resource_name::parse("execute[toast]"),
          .action = "run",
          .where = {.nodes = {*node_id::parse("bender1")}},
          .when = timing::delayed,
          .on = on,
          .causes = {{bender0, "file[/a]", "create"}},
          .other_causes = {{{bender0, "file[/b]", "create"}, {bender0, "file[/a]", "create"}}}};
}

/// The debts of a node over a disk that outlives it.
struct fixture {
  manual_clock time;
  manual_runtime threads{time};
  manual_storage disk{"journal0"};
  std::shared_ptr<mailbox> home;
  std::optional<scribe> records;
  std::optional<debt_journal> owed;

  fixture() { start(); }
  ~fixture() { home->close(); }

  void start() {
    home = threads.make_mailbox("node");
    records.emplace(home, disk, scribe::options{});
    owed.emplace(disk, *records);
    REQUIRE(owed->restore());
  }
  /// kill -9, and another life.
  std::vector<debt_journal::left_over> restart() {
    home->close();
    owed.reset();
    records.reset();
    disk.crash();
    threads.run_ready();
    start();
    return owed->take_left_over();
  }
  void settle() { threads.run_ready(); }
};

}  // namespace

TEST_CASE_FIXTURE(fixture, "what is owed is there after a crash, with its causes") {
  const auto later = owed->owe("life.1", toast(), false);
  const auto now = owed->owe("life.1", toast(on_outcome::failure), true);
  settle();

  const auto left = restart();

  REQUIRE(left.size() == 2);
  auto expected = toast();
  expected.debt = later;
  CHECK(left[0].what == expected);
  CHECK(left[0].run == "life.1");
  CHECK_FALSE(left[0].now);
  CHECK(left[1].entry == now);
  CHECK(left[1].now);
  CHECK(left[1].what->on == on_outcome::failure);
  CHECK(owed->take_left_over().empty());
}

TEST_CASE_FIXTURE(fixture, "what is owed twice is durable when its entry is, on a full disk too") {
  CHECK(owed->are_durable());
  disk.fill(true);
  owed->owe("life.1", toast(), false);
  settle();
  CHECK_FALSE(owed->are_durable());

  disk.fill(false);
  settle();
  CHECK(owed->are_durable());
  restart();
  CHECK(owed->are_durable());
}

TEST_CASE_FIXTURE(fixture, "what was settled is owed no more, and what became due is") {
  const auto sent = owed->owe("life.1", toast(), false);
  const auto due = owed->owe("life.1", toast(on_outcome::success), false);
  owed->settle(sent);
  owed->due(due, "life.1", toast(on_outcome::success));
  settle();

  const auto left = restart();

  REQUIRE(left.size() == 1);
  CHECK(left[0].entry == due);
  CHECK(left[0].now);
}

TEST_CASE_FIXTURE(fixture,
                  "a step begins when it is durable that it was about to, and a crash in the middle tells of it") {
  disk.hold();
  std::optional<debts::number> begun;
  owed->intend("life.1", file, "create", [&](debts::number n) { begun = n; });
  settle();
  CHECK_FALSE(begun);
  disk.release();
  settle();
  REQUIRE(begun);

  const auto left = restart();

  REQUIRE(left.size() == 1);
  CHECK_FALSE(left[0].what);
  CHECK(left[0].resource == "file[/a]");
  CHECK(left[0].action == "create");
}

TEST_CASE_FIXTURE(fixture, "numbers are not given again while their entries are there") {
  const auto before = owed->owe("life.1", toast(), false);
  settle();

  restart();

  CHECK(owed->owe("life.2", toast(), false) > before);
}

TEST_CASE_FIXTURE(fixture, "while the disk takes nothing no step waits, and nothing is promised") {
  disk.fill(true);
  bool begun = false;
  std::optional<result<void>> kept;

  owed->intend("life.1", file, "create", [&](debts::number) { begun = true; });
  owed->when_durable([&](result<void> how) { kept = std::move(how); });
  settle();

  CHECK(begun);
  CHECK(kept->error().code == error_code::io);
}

TEST_CASE_FIXTURE(fixture, "a disk that fills while a step waits lets it begin") {
  disk.hold();
  bool begun = false;
  std::optional<result<void>> kept;
  owed->intend("life.1", file, "create", [&](debts::number) { begun = true; });
  owed->when_durable([&](result<void> how) { kept = std::move(how); });
  settle();

  disk.fill(true);
  owed->tick();

  CHECK(begun);
  CHECK(kept->error().code == error_code::maybe_done);
}

TEST_CASE_FIXTURE(fixture, "an entry that cannot be read is said to be gone") {
  disk.write({{"d/0000000000000007", std::string("no value")}}, [](const result<void>&) {});

  CHECK(restart().empty());

  REQUIRE(owed->repairs().size() == 1);
  CHECK(owed->repairs().front().starts_with("what a run owed, under d/0000000000000007, cannot be read ("));
  CHECK(owed->owe("life.1", toast(), false) == 8);
}
