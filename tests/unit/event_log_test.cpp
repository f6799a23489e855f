#include <flock/event_log.hpp>

#include <doctest/doctest.h>

namespace {

std::vector<std::string> types(const flock::event_log::page& page) {
  std::vector<std::string> out;
  for (const auto& e : page.events) out.push_back(e.type);
  return out;
}

}  // namespace

TEST_CASE("events after a cursor are those that came later") {
  flock::event_log log("life");
  log.add("one", {}, {});
  log.add("two", {}, {});
  log.add("three", {}, {});

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
  flock::event_log log("life", 2);
  log.add("one", {}, {});
  const auto first = log.since(std::nullopt)->events[0].cursor;
  log.add("two", {}, {});
  log.add("three", {}, {});
  log.add("four", {}, {});

  CHECK(log.since(first)->gap);
  CHECK(types(*log.since(first)) == std::vector<std::string>{"three", "four"});
  CHECK(log.since("former.17")->gap);
  CHECK(log.since("former.17")->events.size() == 2);
}

TEST_CASE("what is no cursor is refused") {
  const flock::event_log log("life");
  for (const auto* text : {"", "life", "life.", ".1", "life.x", "life.1x", "life.-1"}) {
    CAPTURE(text);
    CHECK_FALSE(log.since(text));
  }
}

TEST_CASE("a cursor that was never given is refused") {
  flock::event_log log("life");
  log.add("one", {}, {});

  for (const auto* text : {"life.2", "life.18446744073709551615", "life.99999999999999999999"}) {
    CAPTURE(text);
    CHECK_FALSE(log.since(text));
  }
}

TEST_CASE("a follower hears of every event until it unfollows, which it may do while it hears one") {
  flock::event_log log("life");
  int heard = 0;
  std::uint64_t id = 0;
  id = log.follow([&](const flock::event& e) {
    ++heard;
    if (e.type == "last") log.unfollow(id);
  });

  log.add("first", {}, {});
  log.add("last", {}, {});
  log.add("later", {}, {});

  CHECK(heard == 2);
}

TEST_CASE("an event's JSON holds cursor, time and type beside its members") {
  flock::event_log log("life");
  log.add("joined", flock::wall_time{}, {{"peer", "bender1"}});
  CHECK(flock::to_json(log.since(std::nullopt)->events[0].to_value()) ==
        R"({"at":"1970-01-01T00:00:00.000Z","cursor":"life.1","peer":"bender1","type":"joined"})");
}
