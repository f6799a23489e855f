#include "libflock/membership/chores.hpp"

#include "tools/sim/manual_clock.hpp"
#include "tools/sim/manual_runtime.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace {

using flock::milliseconds;
using flock::internal::chores;

/// Chores that are begun, and wait to be told how they went.
struct bench {
  chores::work keep(const std::string& name) {
    return [this, name](chores::finish done) {
      begun.push_back(name);
      open.push_back(std::move(done));
    };
  }
  void finish(bool well = true) {
    auto done = std::move(open.front());
    open.erase(open.begin());
    done(well ? flock::result<void>() : flock::error{flock::error_code::io, "failed"});
    threads.run_ready();
  }
  std::vector<std::string> take_begun() { return std::exchange(begun, {}); }

  flock::testing::manual_clock time;
  flock::testing::manual_runtime threads{time};
  std::vector<std::string> begun;
  std::vector<chores::finish> open;
  int times_all_done = 0;
  chores all{threads.make_mailbox("chores"), time, 1, [this] { ++times_all_done; }};
};

using names = std::vector<std::string>;

}  // namespace

TEST_CASE("chores are begun in order once that is allowed, and not again without a reason") {
  bench b;
  b.all.put("b", b.keep("b"));
  b.all.put("a", b.keep("a"));
  CHECK(b.begun.empty());

  b.all.allow(true);
  b.finish();
  b.finish();
  b.all.allow(false);
  b.all.allow(true);

  CHECK(b.take_begun() == names{"a", "b"});
  CHECK(b.times_all_done == 1);
}

TEST_CASE("a chore that becomes due while it is under way is done once more") {
  bench b;
  b.all.allow(true);
  b.all.put("a", b.keep("a"));

  b.all.due("a");
  b.all.due("a");
  b.finish();
  CHECK(b.times_all_done == 0);
  b.finish();

  CHECK(b.take_begun() == names{"a", "a"});
  CHECK(b.times_all_done == 1);
}

TEST_CASE("what fails is done again after pauses that grow, or at once when it is allowed anew") {
  bench b;
  b.all.allow(true);
  b.all.put("a", b.keep("a"));

  b.finish(false);
  CHECK(b.take_begun() == names{"a"});
  b.threads.advance(milliseconds(100));
  CHECK(b.take_begun() == names{"a"});
  b.finish(false);
  b.threads.advance(milliseconds(99));
  CHECK(b.begun.empty());
  b.threads.advance(milliseconds(101));
  CHECK(b.take_begun() == names{"a"});

  b.finish(false);
  b.all.allow(false);
  b.all.allow(true);
  CHECK(b.take_begun() == names{"a"});
  b.finish();
  b.threads.advance(milliseconds(60'000));
  CHECK(b.begun.empty());
}

TEST_CASE("chores that become due often are done seldom, after the first two times") {
  bench b;
  b.all.allow(true);
  b.all.put("a", b.keep("a"));
  b.finish();
  b.threads.advance(milliseconds(500));
  b.take_begun();

  for (int i = 0; i < 10; ++i) {
    b.all.due("a", milliseconds(100));
    if (!b.open.empty()) b.finish();
  }

  CHECK(b.take_begun() == names{"a", "a"});
  b.threads.advance(milliseconds(100));
  CHECK(b.take_begun() == names{"a"});
}

TEST_CASE("only so many chores are under way at once") {
  bench b;
  b.all.allow(true);

  for (int i = 0; i < 1000; ++i) b.all.put(std::to_string(i), b.keep("x"));

  CHECK(b.begun.size() == chores::at_once);
  b.finish();
  CHECK(b.begun.size() == chores::at_once + 1);
}

TEST_CASE("what is done for once is forgotten, unless it became due again") {
  bench b;
  b.all.allow(true);
  b.all.put_once("a", b.keep("a"));
  b.all.put_once("a", b.keep("a again"));

  b.finish();
  CHECK(b.all.contains("a"));
  b.finish();

  CHECK_FALSE(b.all.contains("a"));
  CHECK(b.take_begun() == names{"a", "a again"});
}

TEST_CASE("a chore that was removed is not done again, one under way has no successor") {
  bench b;
  b.all.allow(true);
  b.all.put("a", b.keep("a"));

  b.all.remove("a");
  b.all.due("a");
  b.finish(false);
  b.threads.advance(milliseconds(60'000));

  CHECK(b.take_begun() == names{"a"});
  CHECK(b.times_all_done == 1);
}
