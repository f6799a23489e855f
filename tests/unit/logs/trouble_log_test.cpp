#include "libflock/logs/trouble_log.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace flock;

TEST_CASE("warnings and errors are kept, the oldest first, and nothing else") {
  trouble_log log;

  log.add("info", wall_time(milliseconds(1)), "ready");
  log.add("warning", wall_time(milliseconds(2)), "suspended");
  log.add("error", wall_time(milliseconds(3)), "not notified");
  log.add("debug", wall_time(milliseconds(4)), "a frame");

  using line = trouble_log::line;
  CHECK(log.lines() == std::vector{line{wall_time(milliseconds(2)), "warning", "suspended"},
                                   line{wall_time(milliseconds(3)), "error", "not notified"}});
}

TEST_CASE("only the last troubles are kept, and so much of each") {
  trouble_log log;

  for (std::size_t i = 0; i < trouble_log::max_lines + 5; ++i)
    log.add("error", wall_time(milliseconds(i)), std::string(2 * trouble_log::max_text, 'x'));

  REQUIRE(log.lines().size() == trouble_log::max_lines);
  CHECK(log.lines().front().at == wall_time(milliseconds(5)));
  CHECK(log.lines().front().text.size() == trouble_log::max_text);
}
