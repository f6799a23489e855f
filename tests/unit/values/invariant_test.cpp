#include "libflock/values/invariant.hpp"

#include <flock/name.hpp>

#include <doctest/doctest.h>

using namespace flock;
using namespace flock::internal;

TEST_CASE("a sentence is put together of texts, numbers and names") {
  const std::string id = "a-1";

  CHECK(sentence(id, " waits for ", *node_id::parse("bender1"), " as number ", 3u, std::string_view(".")) ==
        "a-1 waits for bender1 as number 3.");
}

TEST_CASE("a call looks at its part when it ends, in builds with assertions") {
  int looked = 0;
  {
    const whole_at_end look([&] { return ++looked, broken(); });
    CHECK(looked == 0);
  }

#ifdef NDEBUG
  CHECK(looked == 0);
#else
  CHECK(looked == 1);
#endif
}

TEST_CASE("what is broken is left to whoever asks itself") {
  const asks_itself quiet;

  assert_whole(broken("this would end the process"));
}
