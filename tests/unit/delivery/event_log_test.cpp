#include "libflock/delivery/event_log.hpp"

#include "tests/support/checked.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace {

using flock::testing::checked;

std::vector<std::string> types(const flock::event_log::page& page) {
  std::vector<std::string> out;
  for (const auto& e : page.events) out.push_back(e.type);
  return out;
}

void add(flock::event_log& log, std::string type, flock::wall_time at = {}, flock::value::map members = {}) {
  log.show(log.make(std::move(type), at, std::move(members)));
}

}  // namespace

TEST_CASE("events after a cursor are those that came later") {
  checked<flock::event_log> log("life", {});
  add(log, "one");
  add(log, "two");
  add(log, "three");

  const auto all = log.since(std::nullopt);
  REQUIRE(all);
  CHECK(types(*all) == std::vector<std::string>{"one", "two", "three"});
  const auto later = log.since(all->events[0].cursor);
  REQUIRE(later);
  CHECK(types(*later) == std::vector<std::string>{"two", "three"});
  CHECK_FALSE(later->gap);
  CHECK(log.since(all->events[2].cursor)->events.empty());
}

TEST_CASE("a cursor from before what is kept, or from another life, says that events are missing") {
  checked<flock::event_log> log("life", {.keep = 2});
  add(log, "one");
  const auto first = log.since(std::nullopt)->events[0].cursor;
  add(log, "two");
  add(log, "three");
  add(log, "four");

  CHECK(log.since(first)->gap);
  CHECK(types(*log.since(first)) == std::vector<std::string>{"three", "four"});
  CHECK(log.since("former.17")->gap);
  CHECK(log.since("former.17")->events.size() == 2);
}

TEST_CASE("events are read as they were shown, whatever is in them and whatever their size") {
  checked<flock::event_log> log("life", {});
  std::vector<flock::event> shown;
  log.follow([&](const flock::event& e) { shown.push_back(e); });

  add(log, "empty", flock::wall_time(flock::milliseconds(17)));
  add(log, "full", flock::wall_time(flock::milliseconds(18)),
      {{"peer", "bender1"}, {"count", 3}, {"all", flock::value::list{"a", flock::value::map{{"b", flock::value()}}}}});
  add(log, "large", {}, {{"output", std::string(2 << 20, 'x')}});

  const auto read = log.since(std::nullopt)->events;
  REQUIRE(read.size() == 3);
  for (std::size_t i = 0; i < read.size(); ++i) {
    CHECK(read[i].number == shown[i].number);
    CHECK(read[i].to_value() == shown[i].to_value());
  }
}

TEST_CASE("what is no cursor is refused") {
  const flock::event_log log("life", {});
  for (const auto* text : {"", "life", "life.", ".1", "life.x", "life.1x", "life.-1"}) {
    CAPTURE(text);
    CHECK_FALSE(log.since(text));
  }
}

TEST_CASE("a cursor that was never given is refused") {
  checked<flock::event_log> log("life", {});
  add(log, "one");

  for (const auto* text : {"life.2", "life.18446744073709551615", "life.99999999999999999999"}) {
    CAPTURE(text);
    CHECK_FALSE(log.since(text));
  }
}

TEST_CASE("a follower hears of every event until it unfollows, which it may do while it hears one") {
  checked<flock::event_log> log("life", {});
  int heard = 0;
  std::uint64_t id = 0;
  id = log.follow([&](const flock::event& e) {
    ++heard;
    if (e.type == "last") log.unfollow(id);
  });

  add(log, "first");
  add(log, "last");
  add(log, "later");

  CHECK(heard == 2);
}

TEST_CASE("an event's JSON holds cursor, time and type beside its members") {
  checked<flock::event_log> log("life", {});
  add(log, "joined", {}, {{"peer", "bender1"}});
  CHECK(flock::to_json(log.since(std::nullopt)->events[0].to_value()) ==
        R"({"at":"1970-01-01T00:00:00.000Z","cursor":"life.1","peer":"bender1","type":"joined"})");
}

TEST_CASE("events are forgotten when they are old and a new one comes") {
  checked<flock::event_log> log("life", {.age = std::chrono::hours(1)});
  add(log, "old", flock::wall_time(std::chrono::minutes(1)));
  add(log, "young", flock::wall_time(std::chrono::minutes(30)));
  CHECK(types(*log.since(std::nullopt)).size() == 2);

  add(log, "new", flock::wall_time(std::chrono::minutes(62)));

  CHECK(types(*log.since(std::nullopt)) == std::vector<std::string>{"young", "new"});
  CHECK(log.since("life.1")->gap == false);  // it was seen
  CHECK(log.since(std::nullopt)->gap);
}

TEST_CASE("an event that was made and not shown is not there yet") {
  checked<flock::event_log> log("life", {});
  auto first = log.make("one", {}, {});
  CHECK(log.since(std::nullopt)->events.empty());
  CHECK_FALSE(log.since("life.1"));

  log.show(std::move(first));

  CHECK(types(*log.since(std::nullopt)) == std::vector<std::string>{"one"});
}

TEST_CASE("events of an earlier life keep their numbers, and those before a hole are forgotten") {
  checked<flock::event_log> log("life", {});
  log.restore(4, "lost", {}, {});
  log.restore(7, "kept", {}, {});
  log.restore(8, "kept too", {}, {});
  add(log, "new");

  CHECK(types(*log.since("life.7")) == std::vector<std::string>{"kept too", "new"});
  CHECK_FALSE(log.since("life.7")->gap);
  CHECK(log.since("life.4")->gap);
  CHECK(log.since("life.8")->events[0].cursor == "life.9");
}
