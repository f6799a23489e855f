#include "tools/bench/process_usage.hpp"

#include <doctest/doctest.h>

#include <unistd.h>

using flock::bench::number_after;
using flock::bench::process_usage;

TEST_CASE("a number is found behind its label at the begin of a line, and nowhere else") {
  constexpr auto text = "SwapPss:\t7 kB\nPss:\t 12 kB\nThreads: 9\nState:\tS";

  CHECK(number_after(text, "Pss:") == 12);
  CHECK(number_after(text, "SwapPss:") == 7);
  CHECK(number_after(text, "Threads:") == 9);
  CHECK(!number_after(text, "State:"));
  CHECK(!number_after(text, "Rss:"));
  CHECK(!number_after("Pss:", "Pss:"));
}

TEST_CASE("this process uses memory, a thread, descriptors and time; one that is not there cannot be read") {
  const auto ours = process_usage::of(::getpid());

  REQUIRE(ours);
  CHECK(ours->pss > 0);
  CHECK(ours->peak_rss >= ours->pss);
  CHECK(ours->threads >= 1);
  CHECK(ours->descriptors >= 3);
  CHECK(ours->cpu_us > 0);
  CHECK(!process_usage::of(-1));
}
