#include <flock/log.hpp>

#include <doctest/doctest.h>

TEST_CASE("a line of the log is key=value, and its text cannot break out of it") {
  const flock::wall_time at{};
  CHECK(flock::logger::line(at, "info", "bender0", "ready") ==
        R"(at=1970-01-01T00:00:00.000Z level=info node=bender0 msg="ready")");
  CHECK(flock::logger::line(at, "error", "bender0", "a \"b\"\nlevel=info\x1b[1m\\") ==
        R"(at=1970-01-01T00:00:00.000Z level=error node=bender0 msg="a \"b\"\nlevel=info\x1b[1m\\")");
}

TEST_CASE("the names of log levels are those of the configuration") {
  CHECK(flock::log_level_from("debug") == flock::log_level::debug);
  CHECK(flock::log_level_from("error") == flock::log_level::error);
  CHECK_FALSE(flock::log_level_from("trace"));
}
