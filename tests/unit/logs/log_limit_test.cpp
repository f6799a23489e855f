#include "libflock/logs/log_limit.hpp"

#include <doctest/doctest.h>

using flock::log_limit;

TEST_CASE("a few lines pass in each period, and the next one tells how many did not") {
  log_limit limit;
  flock::time_point now{};

  for (int i = 0; i < log_limit::lines; ++i) CHECK(limit.pass(now) == 0u);
  for (int i = 0; i < 1000; ++i) CHECK(!limit.pass(now));
  now += log_limit::period;

  CHECK(limit.pass(now) == 1000u);
  CHECK(limit.pass(now) == 0u);
}

TEST_CASE("a line that passes tells how many were left out before it, if any were") {
  log_limit limit;
  flock::time_point now{};

  for (int i = 0; i < log_limit::lines; ++i) CHECK(limit.pass(now, "refused") == "refused");
  for (int i = 0; i < 3; ++i) CHECK(!limit.pass(now, "refused"));
  now += log_limit::period;

  CHECK(limit.pass(now, "refused") == "refused (and 3 more that are not shown)");
  CHECK(limit.pass(now, "refused") == "refused");
}
