#include "tools/client/server_sent_events.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

using flock::server_sent_event;

TEST_CASE("events are split at blank lines, whatever the pieces they arrive in") {
  const std::string text =
      ": heartbeat\n\nid: a.1\ndata: {\"x\":1}\n\nevent: gap\r\ndata:{}\r\n\r\nid: a.2\ndata: one\ndata: two\n\n"
      "data: unfinished\n";
  const std::vector<server_sent_event> expected = {
      {"a.1", "", R"({"x":1})"}, {"", "gap", "{}"}, {"a.2", "", "one\ntwo"}};

  for (std::size_t piece : {1, 2, 3, 7, 1000}) {
    flock::server_sent_events events;
    std::vector<server_sent_event> seen;
    for (std::size_t from = 0; from < text.size(); from += piece)
      for (auto& event : events.feed(std::string_view(text).substr(from, piece))) seen.push_back(event);

    CHECK((seen == expected));
  }
}

TEST_CASE("an event that does not end can be told by its size") {
  flock::server_sent_events events;

  for (int i = 0; i < 1000; ++i) CHECK(events.feed(std::string(1000, 'x')).empty());
  CHECK(events.waiting() == 1'000'000);

  CHECK(events.feed("\ndata: y\n").empty());
  CHECK(events.waiting() == 1);
  CHECK(events.feed("\n").size() == 1);
  CHECK(events.waiting() == 0);
}
