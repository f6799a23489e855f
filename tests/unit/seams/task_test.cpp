#include "libflock/seams/task.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <memory>

using flock::task;

TEST_CASE("a task runs what it was made of") {
  int ran = 0;
  auto count = [&] { ++ran; };
  task from_reference(count);
  task from_function = std::function<void()>(count);

  from_reference();
  from_function();

  CHECK(ran == 2);
}

TEST_CASE("a task may own what cannot be copied, and takes it along when it moves") {
  int seen = 0;
  task first = [&seen, owned = std::make_unique<int>(7)] { seen = *owned; };

  task second = std::move(first);

  CHECK_FALSE(first);
  REQUIRE(second);
  second();
  CHECK(seen == 7);
}

TEST_CASE("a task that never runs destroys what it owns") {
  auto owned = std::make_shared<int>(7);
  {
    task never = [owned] {};
    CHECK(owned.use_count() == 2);
  }

  CHECK(owned.use_count() == 1);
}

TEST_CASE("a task of nothing is empty") { CHECK_FALSE(task()); }
