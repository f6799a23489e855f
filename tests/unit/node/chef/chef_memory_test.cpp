#include "node/chef/chef_memory.hpp"

#include "tools/sim/manual_clock.hpp"
#include "tools/sim/manual_runtime.hpp"
#include "tools/sim/manual_storage.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

using namespace flock;
using flock::testing::manual_clock;
using flock::testing::manual_runtime;
using flock::testing::manual_storage;

namespace {

using lines = std::vector<std::string>;

resource_name name(std::string_view text) { return *resource_name::parse(text); }

subscription wish(std::string_view watched) {
  return subscription::make(name(watched), {.nodes = {*node_id::parse("fry")}}, name("execute[x]"), "run",
                            timing::delayed);
}

chef_memory::content some() {
  chef_memory::content all;
  all.resources = {{name("execute[x]"), {"run", "nothing"}}, {name("file[/a b]"), {"create"}}};
  all.subscribes = {wish("file[/z]"), wish("file[/b]")};
  all.about = node_attributes();
  all.about->roles = {"web"};
  all.about->attributes = value::map{{"kernel", value::map{{"release", "6.1"}}}};
  return all;
}

/// A Chef's memory over a disk that outlives it.
struct fixture {
  manual_clock time;
  manual_runtime threads{time};
  manual_storage disk{"disk"};
  std::shared_ptr<mailbox> home;
  std::optional<scribe> records;
  std::optional<chef_memory> memory;
  lines log;

  fixture() { restart(); }
  ~fixture() { home->close(); }

  /// \returns what the next life recalls
  std::optional<chef_memory::content> restart() {
    if (home) home->close();
    threads.run_ready();
    home = threads.make_mailbox("node");
    records.emplace(home, disk, scribe::options{});
    memory.emplace(disk, *records,
                   [this](auto level, const auto& text) { log.push_back(std::string(level) + ": " + text); });
    return memory->recall();
  }
  void keep(const chef_memory::content& all) {
    memory->keep(all);
    threads.run_ready();
  }
};

void check_same(const std::optional<chef_memory::content>& a, const chef_memory::content& b) {
  REQUIRE(a);
  CHECK(a->resources == b.resources);
  CHECK(a->subscribes == b.subscribes);
  REQUIRE(a->about.has_value() == b.about.has_value());
  if (b.about) CHECK(a->about->to_value() == b.about->to_value());
}

}  // namespace

TEST_CASE_FIXTURE(fixture, "what Chef said is known to the next life, one record for each thing") {
  CHECK_FALSE(restart());

  keep(some());

  check_same(restart(), some());
  CHECK(disk.keys("chef/") == lines{"chef/node", "chef/resource/execute[x]", "chef/resource/file[/a b]",
                                    "chef/subscription/00000000", "chef/subscription/00000001"});
  CHECK(log.empty());
}

TEST_CASE_FIXTURE(fixture, "what Chef says anew takes the place of what it said, also over a restart") {
  keep(some());
  restart();
  auto next = some();
  next.resources.erase(name("file[/a b]"));
  next.subscribes.pop_back();

  keep(next);

  check_same(restart(), next);
  CHECK(disk.keys("chef/").size() == 3);
}

TEST_CASE_FIXTURE(fixture, "only what differs is written") {
  keep(some());
  const auto before = disk.stats().commits;
  keep(some());

  CHECK(disk.stats().commits == before);
}

TEST_CASE_FIXTURE(fixture, "a record that is damaged or cannot be read is left out, and that is said") {
  keep(some());
  disk.write({{"chef/resource/execute[x]", "no value"}}, [](const auto&) {});
  disk.damage("chef/subscription/00000000");

  const auto recalled = restart();

  REQUIRE(recalled);
  CHECK(recalled->resources.size() == 1);
  CHECK(recalled->subscribes == std::vector{wish("file[/b]")});
  REQUIRE(log.size() == 2);
  CHECK(log[0] == "error: chef/subscription/00000000: the record was damaged; Chef's next run says it again");
  CHECK(log[1].starts_with("error: chef/resource/execute[x]: "));
}

// As flockd wrote it when this was a file.
TEST_CASE("the file in which this was kept before is read") {
  const auto read = chef_memory::from_file(R"({
 "about": {
  "attributes": {"kernel": {"release": "6.1"}},
  "environment": "",
  "recipes": [],
  "roles": ["web"],
  "tags": []
 },
 "resources": {
  "execute[x]": ["run", "nothing"],
  "file[/a b]": ["create"]
 },
 "subscribes": [
  {"action": "run", "id": "0", "publishers": {"node": "fry"}, "resource": "execute[x]", "timing": "delayed",
   "watched": "file[/z]"},
  {"action": "run", "id": "0", "publishers": {"node": "fry"}, "resource": "execute[x]", "timing": "delayed",
   "watched": "file[/b]"}
 ]
})");

  REQUIRE(read);
  check_same(*read, some());
}

TEST_CASE("a file that is no JSON is an error, not an empty one") {
  CHECK_FALSE(chef_memory::from_file(R"({"resources": )"));
}
