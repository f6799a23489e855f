#include "actors/resource/log_resource.hpp"

#include <doctest/doctest.h>

using namespace flock;

TEST_CASE("a log resource writes its message, in why-run mode only to the report") {
  const value given = value::map{{"message", "a robot was seen"}};
  declared_members members(given);
  const auto log = log_resource().make({"log", "robots"}, members);
  std::vector<std::string> lines;
  const auto write = [&](std::string_view line) { lines.emplace_back(line); };

  const auto tried = log->perform("write", {.why_run = true, .log = write});
  const auto written = log->perform("write", {.log = write});

  CHECK(members.finish().empty());
  CHECK_FALSE(log->may_block());
  CHECK(tried.output == "would log a robot was seen");
  CHECK(written.how == outcome::updated);
  CHECK(lines == std::vector<std::string>{"a robot was seen"});
}
