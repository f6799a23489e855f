#include "libflock/delivery/event_journal.hpp"

#include "tools/sim/manual_clock.hpp"
#include "tools/sim/manual_runtime.hpp"
#include "tools/sim/manual_storage.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace flock;
using flock::testing::manual_clock;
using flock::testing::manual_runtime;
using flock::testing::manual_storage;

namespace {

using lines = std::vector<std::string>;

/// A node's events over a disk that outlives it.
struct fixture {
  manual_clock time;
  manual_runtime threads{time};
  manual_storage disk{"0123456789abcdef-and-more"};
  event_journal::options options;
  std::shared_ptr<mailbox> home;
  std::optional<scribe> records;
  std::optional<event_journal> events;
  lines happened;

  fixture() { start(); }
  ~fixture() { home->close(); }

  void start() {
    home = threads.make_mailbox("node");
    records.emplace(home, disk, scribe::options{});
    events.emplace(disk, *records, options);
    REQUIRE(events->restore());
    events->log().follow([this](const event& e) { happened.push_back(e.type); });
    happened.clear();
  }
  void crash() {
    home->close();
    events.reset();
    records.reset();
    disk.crash();
    threads.run_ready();
  }
  void restart() {
    crash();
    start();
  }

  void add(std::string type) { events->add(std::move(type), time.wall(), {}); }
  lines types(std::optional<std::string> since = {}) {
    lines out;
    const auto page = events->log().since(since ? std::optional<std::string_view>(*since) : std::nullopt);
    REQUIRE(page);
    for (const auto& e : page->events) out.push_back(e.type);
    return out;
  }
  std::string last_cursor() { return events->log().since({})->events.back().cursor; }
};

}  // namespace

TEST_CASE_FIXTURE(fixture, "an event is shown when it is durable, and not before") {
  disk.hold();
  add("joined");
  threads.run_ready();
  CHECK(types().empty());
  disk.release();
  threads.run_ready();

  CHECK(types() == lines{"joined"});
  CHECK(happened == lines{"joined"});
}

TEST_CASE_FIXTURE(fixture, "what one turn adds is one record, named after its first event") {
  add("one");
  add("two");
  threads.run_ready();
  add("three");
  threads.run_ready();

  CHECK(disk.keys("") == lines{"e/0000000000000001", "e/0000000000000003"});
}

TEST_CASE_FIXTURE(fixture, "a record is the bytes of the list of its events") {
  const value::map members{{"node", "bender0"}, {"count", 2}};
  events->add("one", time.wall(), members);
  events->add("two", time.wall(), {});
  threads.run_ready();

  const auto at = time.wall().time_since_epoch().count();
  const value::list expected{value::map{{"at", at}, {"type", "one"}, {"members", members}},
                             value::map{{"at", at}, {"type", "two"}, {"members", value::map{}}}};
  std::string stored;
  REQUIRE(disk.read("e/", [&](std::string_view, std::string_view data) { stored = data; }));
  CHECK(stored == encode(value(expected)));
}

TEST_CASE_FIXTURE(fixture,
                  "after a restart events go on after the last cursor, without a gap and without repeating any") {
  add("one");
  add("two");
  threads.run_ready();
  const auto cursor = last_cursor();
  CHECK(cursor == "0123456789abcdef.2");

  restart();
  add("three");
  threads.run_ready();

  CHECK(types(cursor) == lines{"three"});
  CHECK_FALSE(events->log().since(cursor)->gap);
  CHECK(types() == lines{"one", "two", "three"});
  CHECK(last_cursor() == "0123456789abcdef.3");
}

TEST_CASE_FIXTURE(fixture, "what a crash took was shown to nobody, and its numbers are given again") {
  add("one");
  threads.run_ready();
  disk.hold();
  add("lost");
  threads.run_ready();

  restart();
  disk.release();
  add("two");
  threads.run_ready();

  CHECK(types() == lines{"one", "two"});
  CHECK(last_cursor() == "0123456789abcdef.2");
}

TEST_CASE_FIXTURE(fixture, "a cursor of another storage is told of a gap") {
  add("one");
  threads.run_ready();

  const auto page = events->log().since("fedcba9876543210.1");

  REQUIRE(page);
  CHECK(page->gap);
  CHECK(page->events.size() == 1);
}

TEST_CASE_FIXTURE(fixture, "an event goes with the change that it tells of, on a disk that is full too") {
  records->put("d/1", "owed");
  records->soon();
  threads.run_ready();
  disk.fill(true);
  records->remove("d/1");
  add("not_notified");
  records->soon();
  threads.run_ready();

  disk.crash(1);  // the first write became durable, and no other
  restart();

  CHECK(types() == lines{"not_notified"});
}

TEST_CASE_FIXTURE(fixture, "on a full disk events wait within bounds, and those beyond are counted") {
  options.gathered = 3;
  restart();
  disk.fill(true);
  add("one");
  threads.run_ready();
  CHECK(disk.stats().waiting == 1);
  for (const char* type : {"two", "three", "four", "five", "six"}) add(type);
  threads.run_ready();
  CHECK(types().empty());
  CHECK(disk.stats().waiting == 1);

  disk.fill(false);
  records->soon();  // as each tick does
  threads.run_ready();

  CHECK(types() == lines{"one", "two", "three", "four", "events_dropped"});
  CHECK(events->log().since({})->events.back().members.at("count") == value(2));
}

TEST_CASE_FIXTURE(fixture, "records whose events are all beyond the bounds are removed, those by number and by age") {
  options.keep.keep = 3;
  options.keep.age = 1h;
  options.outdated = 0;
  restart();
  for (int i = 0; i < 10; ++i) {
    add("early");
    add("early");
    threads.run_ready();
  }
  CHECK(disk.records("e/") == 2);
  CHECK(types().size() == 3);

  time.advance(2h);
  add("late");
  threads.run_ready();

  CHECK(disk.records("e/") == 1);
  CHECK(types() == lines{"late"});
  restart();
  CHECK(types() == lines{"late"});
}

TEST_CASE_FIXTURE(fixture, "after a damaged record no number is given twice, and the hole is a gap") {
  for (const char* type : {"one", "two", "three"}) {
    add(type);
    threads.run_ready();
  }
  SUBCASE("in the middle") {
    disk.damage("e/0000000000000002");
    restart();
    CHECK(types() == lines{"three"});
    CHECK(last_cursor() == "0123456789abcdef.3");
  }
  SUBCASE("at the end") {
    disk.damage("e/0000000000000003");
    restart();
    add("four");
    threads.run_ready();
    CHECK(types() == lines{"four"});
    CHECK(last_cursor() == "0123456789abcdef." + std::to_string(3 + options.gathered));
  }
  SUBCASE("that the storage did not notice") {
    disk.write({{"e/0000000000000003", "nonsense"}, {"e/what", "nonsense"}}, [](const result<void>&) {});
    restart();
    threads.run_ready();
    CHECK(disk.keys("e/") == lines{"e/0000000000000001", "e/0000000000000002"});
    add("four");
    threads.run_ready();
    CHECK(types() == lines{"four"});
  }
  const auto page = events->log().since("0123456789abcdef.1");
  REQUIRE(page);
  CHECK(page->gap);
}

// As one update that notifies ten thousand nodes adds them.
TEST_CASE_FIXTURE(fixture, "as many events as one turn can add are read back") {
  const std::string detail(300, 'x');
  for (std::size_t i = 0; i < options.gathered; ++i) events->add("queued", time.wall(), {{"detail", detail}});
  threads.run_ready();
  CHECK(disk.keys("e/").size() > 1);

  restart();

  CHECK(types().size() == options.gathered);
  CHECK(events->repairs().empty());
}

TEST_CASE_FIXTURE(fixture, "events that cannot be read are named") {
  add("joined");
  threads.run_ready();
  disk.write({{disk.keys("e/").front(), std::string("no value")}}, [](const result<void>&) {});

  restart();

  CHECK(events->repairs().size() == 1);
}
