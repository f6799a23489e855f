#include "libflock/delivery/scribe.hpp"

#include "tests/support/checked.hpp"
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
using namespace std::chrono_literals;
using flock::testing::checked;
using flock::testing::manual_clock;
using flock::testing::manual_runtime;
using flock::testing::manual_storage;

using lines = std::vector<std::string>;

/// A part whose only record is what it was last given.
struct diary final : scribe::listener {
  diary(scribe& s, std::string k) : of(s), key(std::move(k)) { of.join(*this); }
  void before_write() override {
    if (page) of.put(key, *std::exchange(page, {}));
  }
  void turn_ends() override { ++turns; }
  void not_written(const error& e) override { why = e; }

  scribe& of;
  std::string key;
  std::optional<std::string> page;
  int turns = 0;
  std::optional<error> why;
};

struct fixture {
  manual_clock time;
  manual_runtime threads{time};
  manual_storage disk{"journal"};
  std::shared_ptr<mailbox> home = threads.make_mailbox("node");
  checked<scribe> records{home, disk, {}};
  diary one{records, "one"};
  lines happened;

  ~fixture() { home->close(); }

  void put(const std::string& key) {
    records.put(key, "x");
    records.then([this, key] { happened.push_back(key); });
    records.soon();
    threads.run_ready();
  }
  void promise(const std::string& key) {
    promise_later(key);
    threads.run_ready();
  }
  void promise_later(const std::string& key) {
    records.put(key, "x");
    records.then([this, key] { happened.push_back(key); });
    records.hurry();
    records.soon();
  }
  lines keys() { return disk.keys(""); }
};

}  // namespace

TEST_CASE_FIXTURE(fixture, "what one turn gathers is one write, at the end of the turn") {
  disk.hold();
  home->post([this] {
    records.put("a", "1");
    records.soon();
    records.put("a", "2");
    records.put("b", "1");
    records.soon();
  });
  threads.run_ready();
  CHECK(disk.stats().waiting == 1);

  disk.release();
  threads.run_ready();

  CHECK(keys() == lines{"a", "b"});
  std::string kept;
  REQUIRE(disk.read("a", [&](std::string_view, std::string_view data) { kept = data; }));
  CHECK(kept == "2");
}

TEST_CASE_FIXTURE(fixture, "a turn goes on with the jobs that wait when it would end, once") {
  disk.hold();
  const auto add = [this](const std::string& key) {
    home->post([this, key] {
      records.put(key, "x");
      records.soon();
    });
  };
  home->post([this, add] {
    records.put("a", "x");
    records.soon();
    add("b");
    home->post([add] { add("too late"); });
  });
  threads.run_ready();

  disk.sync_one();
  CHECK(keys() == lines{"a", "b"});
  threads.run_ready();
  disk.sync_one();
  CHECK(keys() == lines{"a", "b", "too late"});
}

TEST_CASE_FIXTURE(fixture, "the parts hear when a turn ends, also if there is nothing to write") {
  records.end_turn_soon();
  records.end_turn_soon();
  CHECK(one.turns == 0);
  threads.run_ready();
  CHECK(one.turns == 1);

  records.close();
  CHECK(one.turns == 2);
}

TEST_CASE_FIXTURE(fixture, "what nobody asks to write is written with what is next") {
  records.put("a", "x");
  records.end_turn_soon();
  threads.run_ready();
  CHECK(keys().empty());

  put("b");

  CHECK(keys() == lines{"a", "b"});
}

TEST_CASE_FIXTURE(fixture, "of several changes of a record the last one counts, and the disk gets them in order") {
  records.put("c", "1");
  records.put("a", "1");
  records.put("b", "1");
  records.remove("a");
  records.remove("b");
  records.put("b", "2");
  records.soon();
  threads.run_ready();

  CHECK(keys() == lines{"b", "c"});
}

TEST_CASE_FIXTURE(fixture, "while the disk is at work what nobody waits for gathers for the next write") {
  disk.hold();
  put("a");
  put("b");
  put("c");
  CHECK(disk.stats().waiting == 1);

  disk.sync_one();
  threads.run_ready();
  CHECK(happened == lines{"a"});
  CHECK(disk.stats().waiting == 1);
  disk.release();
  threads.run_ready();

  CHECK(happened == lines{"a", "b", "c"});
}

TEST_CASE_FIXTURE(fixture, "a promise does not wait for the disk to be idle, and takes along what gathered") {
  disk.hold();
  put("a");
  put("b");
  promise("c");
  CHECK(disk.stats().waiting == 2);
  promise("d");
  promise("e");
  CHECK(disk.stats().waiting == 2);

  disk.release();
  threads.run_ready();

  CHECK(happened == lines{"a", "b", "c", "d", "e"});
}

TEST_CASE_FIXTURE(fixture, "what gathered goes with the promise that the last one leads to") {
  disk.hold();
  records.put("a", "x");
  records.then([this] { promise_later("b"); });
  records.hurry();
  records.soon();
  threads.run_ready();
  put("c");

  disk.release();
  threads.run_ready();

  CHECK(happened == lines{"c", "b"});
}

TEST_CASE_FIXTURE(fixture, "the parts are asked before each write for what they have not said yet") {
  one.page = "dear diary";
  records.soon();
  threads.run_ready();
  CHECK(keys() == lines{"one"});

  records.soon();
  disk.hold();
  threads.run_ready();

  CHECK(disk.stats().waiting == 0);  // nothing was new
}

TEST_CASE_FIXTURE(fixture, "before the mailbox closes everything is written, however busy the disk is") {
  disk.hold();
  promise("a");
  promise("b");
  promise("c");
  CHECK(disk.stats().waiting == 2);

  records.close();

  CHECK(disk.stats().waiting == 3);
}
