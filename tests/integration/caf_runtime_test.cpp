#include "tests/support/real_threads.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace flock;
using namespace flock::testing;
using namespace std::chrono_literals;

TEST_CASE("jobs of one mailbox run one at a time in the order in which they were posted") {
  auto threads = make_runtime();
  auto box = threads->make_mailbox("test");
  std::vector<int> order;  // no lock: that is the promise

  for (int i = 0; i < 10'000; ++i) box->post([&, i] { order.push_back(i); });

  REQUIRE(drained(*box));
  REQUIRE(order.size() == 10'000);
  CHECK(std::is_sorted(order.begin(), order.end()));
}

TEST_CASE("a job may own what cannot be copied") {
  auto threads = make_runtime();
  auto box = threads->make_mailbox("test");
  auto owned = std::make_unique<int>(7);
  int seen = 0;

  box->post([&seen, owned = std::move(owned)] { seen = *owned; });

  REQUIRE(drained(*box));
  CHECK(seen == 7);
}

TEST_CASE("two mailboxes run in parallel") {
  auto threads = make_runtime();
  auto one = threads->make_mailbox("one");
  auto two = threads->make_mailbox("two");
  signal from_one, from_two, met;

  one->post([&] {
    from_one.open();
    if (from_two.passed()) met.open();
  });
  two->post([&] {
    if (from_one.passed()) from_two.open();
  });

  CHECK(met.passed());
}

TEST_CASE("a job knows its mailbox, a thread outside has none") {
  auto threads = make_runtime();
  auto box = threads->make_mailbox("test");
  mailbox* within = nullptr;

  box->post([&] { within = current_mailbox(); });

  REQUIRE(drained(*box));
  CHECK(within == box.get());
  CHECK(current_mailbox() == nullptr);
}

TEST_CASE("timed jobs run in the order of their times and not before, however they were posted") {
  auto threads = make_runtime();
  auto box = threads->make_mailbox("test");
  const auto start = system_clock().now();
  std::vector<std::string> order;
  signal last;

  box->post_at(start + 30ms, [&] {
    order.push_back(system_clock().now() >= start + 30ms ? "third" : "third, early");
    last.open();
  });
  box->post_at(start + 10ms, [&] { order.push_back(system_clock().now() >= start + 10ms ? "first" : "first, early"); });
  box->post_at(start + 20ms, [&] { order.push_back("second"); });
  box->post_at(start + 24h, [&] { order.push_back("never"); });
  box->post_at(time_point::max(), [&] { order.push_back("never ever"); });

  REQUIRE(last.passed());
  CHECK(order == std::vector<std::string>{"first", "second", "third"});
}

TEST_CASE("a timed job in the past runs at once") {
  auto threads = make_runtime();
  auto box = threads->make_mailbox("test");
  signal ran;

  box->post_at(time_point::min(), [&] { ran.open(); });

  CHECK(ran.passed());
}

TEST_CASE("many timed jobs each run once") {
  auto threads = make_runtime();
  auto box = threads->make_mailbox("test");
  constexpr int count = 20'000;
  const auto start = system_clock().now();
  int ran = 0;
  signal all;

  for (int i = 0; i < count; ++i)
    box->post_at(start + std::chrono::microseconds(i * 7919 % 50'000), [&] {
      if (++ran == count) all.open();
    });

  CHECK(all.passed());
  REQUIRE(drained(*box));
  CHECK(ran == count);
}

TEST_CASE("depth counts the jobs that wait, not the one that runs") {
  auto threads = make_runtime();
  auto box = threads->make_mailbox("test");
  signal running, go;
  box->post([&] {
    running.open();
    go.passed();
  });
  REQUIRE(running.passed());

  box->post([] {});
  box->post([] {});

  CHECK(box->depth() == 2);
  go.open();
  REQUIRE(drained(*box));
  CHECK(box->depth() == 0);
}

TEST_CASE("a closed mailbox runs nothing any more and destroys what waits") {
  signal running, go, gone;  // outlive the job that waits
  auto threads = make_runtime();
  auto box = threads->make_mailbox("test");
  auto other = threads->make_mailbox("other");
  std::atomic<int> ran = 0;
  // Counted by shared ownership: it goes when the last job does.
  auto owned = std::shared_ptr<void>(nullptr, [&](void*) { gone.open(); });
  box->post([&] {
    running.open();
    go.passed();
  });
  REQUIRE(running.passed());
  for (int i = 0; i < 100; ++i) box->post([&, owned] { ++ran; });
  box->post_at(soon(), [&, owned] { ++ran; });
  owned.reset();

  box->close();
  box->post([&] { ++ran; });
  box->post_at(system_clock().now(), [&] { ++ran; });
  go.open();

  CHECK(gone.passed());
  CHECK(drained(*other));
  CHECK(box->depth() == 0);
  CHECK(ran == 0);
}

TEST_CASE("a job that is closed or forgotten by itself ends well") {
  auto threads = make_runtime();
  auto box = threads->make_mailbox("test");
  auto& raw = *box;
  signal closed;

  raw.post([&, box = std::move(box)]() mutable {
    box->close();
    box.reset();
    closed.open();
  });

  CHECK(closed.passed());
}

TEST_CASE("a job that throws does not stop its mailbox") {
  auto threads = make_runtime();
  auto box = threads->make_mailbox("that is told of in this test's output");

  signal timed_too;

  box->post([] { throw std::runtime_error("on purpose"); });
  box->post_at(system_clock().now(), [] { throw 7; });
  box->post_at(system_clock().now(), [&] { timed_too.open(); });

  CHECK(timed_too.passed());
  CHECK(drained(*box));
}

TEST_CASE("a thousand mailboxes pass a job around") {
  auto threads = make_runtime();
  std::vector<std::shared_ptr<mailbox>> ring;
  for (int i = 0; i < 1'000; ++i) ring.push_back(threads->make_mailbox("member " + std::to_string(i)));
  signal round;
  std::function<void(std::size_t)> pass = [&](std::size_t at) {
    if (at == ring.size()) return round.open();
    ring[at]->post([&, at] { pass(at + 1); });
  };

  pass(0);

  CHECK(round.passed());
}

TEST_CASE("a busy mailbox gives way to another on a single thread") {
  auto threads = make_runtime(1);
  auto busy = threads->make_mailbox("busy");
  auto other = threads->make_mailbox("other");
  std::atomic<bool> enough = false;
  std::function<void()> again = [&] {
    if (!enough) busy->post(again);
  };
  again();

  CHECK(drained(*other));

  enough = true;
  CHECK(drained(*busy));
}

TEST_CASE("stopping runs no more jobs, destroys those that wait, and what comes later is dropped") {
  auto threads = make_runtime();
  auto box = threads->make_mailbox("test");
  signal running, go;
  std::atomic<int> ran = 0;
  auto owned = std::make_shared<int>();
  std::weak_ptr<int> watched = owned;
  box->post([&] {
    running.open();
    go.passed();
  });
  REQUIRE(running.passed());
  // Jobs that own their own mailbox must not keep it for ever.
  for (int i = 0; i < 100; ++i) box->post([&, owned, box] { ++ran; });
  box->post_at(soon(), [&, owned, box] { ++ran; });
  threads->run_blocking([] {});
  std::weak_ptr<mailbox> watched_box = box;
  owned.reset();

  std::thread helper([&] {
    while (box->depth() != 0) std::this_thread::yield();  // a closed mailbox has none that wait
    go.open();
  });
  threads->stop(soon());
  helper.join();

  auto late = threads->make_mailbox("late");
  for (auto* closed : {box.get(), late.get()}) {
    closed->post([&] { ++ran; });
    closed->post_at(system_clock().now(), [&] { ++ran; });
  }
  threads->run_blocking([&] { ++ran; });
  box.reset();
  CHECK(ran == 0);
  CHECK(watched.expired());
  CHECK(watched_box.expired());
}

TEST_CASE("stopping abandons jobs that do not end, in mailboxes and elsewhere") {
  auto threads = make_runtime();
  // Shared, as the jobs outlive the runtime.
  auto running = std::make_shared<std::pair<signal, signal>>();
  auto go = std::make_shared<signal>();
  auto ended = std::make_shared<std::pair<signal, signal>>();
  auto box = threads->make_mailbox("test");
  box->post([=] {
    running->first.open();
    go->passed();
    ended->first.open();
  });
  threads->run_blocking([=] {
    running->second.open();
    go->passed();
    ended->second.open();
  });
  REQUIRE(running->first.passed());
  REQUIRE(running->second.passed());

  threads->stop(system_clock().now());
  threads.reset();

  go->open();
  CHECK(ended->first.passed());
  CHECK(ended->second.passed());
}

TEST_CASE("stopping ends at once, whichever threads made mailboxes") {
  auto threads = make_runtime();
  auto box = threads->make_mailbox("test");
  box->post([&] { threads->make_mailbox("made in a turn"); });
  threads->run_blocking([&] { threads->make_mailbox("made elsewhere"); });
  REQUIRE(drained(*box));
  const auto until = soon();

  threads->stop(until);

  CHECK(system_clock().now() < until);
}

TEST_CASE("a mailbox may outlive its runtime") {
  auto threads = make_runtime();
  auto box = threads->make_mailbox("test");

  threads.reset();

  box->post([] {});
  box->post_at(system_clock().now(), [] {});
  box->close();
  CHECK(box->depth() == 0);
}

TEST_CASE("blocking jobs run on threads of their own, at most max_blocking at once") {
  auto threads = make_runtime(1);
  std::mutex mutex;  // guards the next line
  int started = 0, now = 0, most = 0;
  std::atomic<int> left = 3 * runtime::max_blocking;
  signal full, go, done;

  for (int i = 0; i < 3 * runtime::max_blocking; ++i)
    threads->run_blocking([&] {
      {
        std::lock_guard lock(mutex);
        most = std::max(most, ++now);
        if (++started == runtime::max_blocking) full.open();
      }
      go.passed();
      {
        std::lock_guard lock(mutex);
        --now;
      }
      if (--left == 0) done.open();
    });

  CHECK(full.passed());
  CHECK(drained(*threads->make_mailbox("meanwhile")));
  go.open();
  CHECK(done.passed());
  CHECK(most == runtime::max_blocking);
}

TEST_CASE("a blocking job that throws leaves its thread to the next") {
  auto threads = make_runtime();
  signal next;

  threads->run_blocking([] { throw std::runtime_error("on purpose"); });
  threads->run_blocking([&] { next.open(); });

  CHECK(next.passed());
}

TEST_CASE("stopping waits for blocking jobs that end in time") {
  auto threads = make_runtime();
  signal running, go;
  std::atomic<bool> ended = false;
  threads->run_blocking([&] {
    running.open();
    go.passed();
    ended = true;
  });
  REQUIRE(running.passed());

  std::thread helper([&] { go.open(); });
  threads->stop(soon());
  helper.join();

  CHECK(ended);
}
