#include "libflock/seams/runtime.hpp"

#include "tools/sim/manual_runtime.hpp"

#include <doctest/doctest.h>

#include <thread>

TEST_CASE("the current mailbox is that of the innermost turn on this thread") {
  flock::testing::manual_clock time;
  flock::testing::manual_runtime threads(time);
  auto outer = threads.make_mailbox("outer");
  auto inner = threads.make_mailbox("inner");

  CHECK(flock::current_mailbox() == nullptr);
  {
    flock::turn first(*outer);
    CHECK(flock::current_mailbox() == outer.get());
    CHECK(outer->has_turn());
    CHECK_FALSE(inner->has_turn());
    {
      flock::turn second(*inner);
      CHECK(flock::current_mailbox() == inner.get());
    }
    CHECK(flock::current_mailbox() == outer.get());
    std::thread([] { CHECK(flock::current_mailbox() == nullptr); }).join();
  }
  CHECK(flock::current_mailbox() == nullptr);
}
