#include "libflock/delivery/wish_keeper.hpp"

#include "tools/sim/manual_clock.hpp"
#include "tools/sim/manual_runtime.hpp"
#include "tools/sim/manual_storage.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

// What subscribers wish of this node, kept.

using namespace flock;
using namespace std::chrono_literals;

namespace {

node_id id(const std::string& text) { return *node_id::parse(text); }
resource_name resource(const std::string& text) { return *resource_name::parse(text); }

const std::vector<wish> of_the_file{{"1", resource("file[x]"), resource("log[y]"), "write", timing::delayed}};

/// A node whose subscribers answer as the test says.
struct publisher {
  testing::manual_clock time;
  testing::manual_runtime threads{time};
  std::shared_ptr<mailbox> home = threads.make_mailbox("node");
  testing::manual_storage disk{"journal"};
  directory nodes{id("here"), {}};
  notifier notifications{id("here"), "n", time, 1h, nodes, {}};

  result<std::vector<wish>> answer = of_the_file;
  bool is_connected = true;
  int asked = 0;
  std::vector<std::function<void()>> retries;
  std::vector<std::string> warnings;
  wish_keeper keeper{home,
                     disk,
                     notifications,
                     {.ask_wishes =
                          [this](const node_id&, std::function<void(result<std::vector<wish>>)> told) {
                            ++asked;
                            told(answer);
                          },
                      .is_connected = [this](const node_id&) { return is_connected; },
                      .retry_soon = [this](std::function<void()> f) { retries.push_back(std::move(f)); },
                      .warn = [this](const std::string& what) { warnings.push_back(what); }}};

  /// As somebody would tell who waits.
  std::shared_ptr<std::string> take(std::vector<wish> wishes) {
    auto kept = std::make_shared<std::string>("waits");
    keeper.take(id("a"), std::move(wishes),
                [kept](const result<void>& r) { *kept = r ? "kept" : to_string(r.error().code); });
    threads.run_ready();
    return kept;
  }
  std::size_t wanted() const { return notifications.wanted_by_subscribers(resource("file[x]")).size(); }
};

}  // namespace

TEST_CASE_FIXTURE(publisher, "wishes are kept when they are durable, and what is no news is kept already") {
  disk.hold();
  const auto first = take(of_the_file);
  CHECK(*first == "waits");
  CHECK(wanted() == 1);

  disk.release();
  threads.run_ready();

  CHECK(*first == "kept");
  CHECK(disk.keys("s/") == std::vector<std::string>{"s/a"});
  disk.hold();
  CHECK(*take(of_the_file) == "kept");
}

TEST_CASE_FIXTURE(publisher, "whoever wishes nothing any more leaves no record") {
  take(of_the_file);

  CHECK(*take({}) == "kept");

  CHECK(disk.keys("s/").empty());
  CHECK(wanted() == 0);
}

TEST_CASE_FIXTURE(publisher, "a full disk takes no wishes, and the ones before hold") {
  take(of_the_file);
  disk.fill(true);

  CHECK(*take({}) == "io");

  CHECK(wanted() == 1);
}

TEST_CASE_FIXTURE(publisher, "the next life knows them; a record that cannot be read is told of, and is no obstacle") {
  take(of_the_file);
  disk.write({{"s/b", encode(value("no list"))}}, [](const result<void>&) {});
  notifier next{id("here"), "m", time, 1h, nodes, {}};
  std::vector<std::string> told;
  wish_keeper after{home, disk, next, {{}, {}, {}, [&](const std::string& what) { told.push_back(what); }}};

  REQUIRE(after.restore());

  CHECK(next.wanted_by_subscribers(resource("file[x]")).size() == 1);
  CHECK(told == std::vector<std::string>{"s/b: the subscriptions kept under this key cannot be read"});
}

TEST_CASE_FIXTURE(publisher,
                  "a subscriber that connects is asked whether it still wishes what it did; others are not") {
  keeper.connected(id("a"));
  CHECK(asked == 0);
  take(of_the_file);
  answer = std::vector<wish>{};

  keeper.connected(id("a"));

  CHECK(asked == 1);
  CHECK(wanted() == 0);
}

TEST_CASE_FIXTURE(publisher, "one that does not answer is asked again, as long as it is connected") {
  take(of_the_file);
  answer = error{error_code::maybe_done, "no answer"};

  keeper.connected(id("a"));
  REQUIRE(retries.size() == 1);
  retries[0]();
  REQUIRE(retries.size() == 2);
  CHECK(asked == 2);

  is_connected = false;
  retries[1]();
  CHECK(asked == 3);
  CHECK(retries.size() == 2);
  CHECK(wanted() == 1);
}
