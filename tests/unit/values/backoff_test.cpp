#include "libflock/values/backoff.hpp"

#include <doctest/doctest.h>

#include <set>
#include <vector>

using flock::milliseconds;
using flock::internal::backoff;

TEST_CASE("pauses double from first to last, each shortened by at most half") {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    CAPTURE(seed);
    backoff pause(milliseconds(50), milliseconds(5000), seed);

    for (int full : {50, 100, 200, 400, 800, 1600, 3200, 5000, 5000}) {
      const auto p = pause.next();
      CHECK(p >= milliseconds(full / 2));
      CHECK(p <= milliseconds(full));
    }
  }
}

TEST_CASE("after a reset the pauses begin anew") {
  backoff pause(milliseconds(50), milliseconds(5000), 1);
  for (int i = 0; i < 5; ++i) pause.next();

  pause.reset();

  CHECK(pause.next() <= milliseconds(50));
}

TEST_CASE("two seeds do not wait the same times, one seed does") {
  std::set<std::vector<milliseconds>> sequences;
  for (std::uint64_t seed : {1, 2, 3, 1}) {
    backoff pause(milliseconds(50), milliseconds(5000), seed);
    std::vector<milliseconds> sequence;
    for (int i = 0; i < 8; ++i) sequence.push_back(pause.next());
    sequences.insert(sequence);
  }

  CHECK(sequences.size() == 3);
}
