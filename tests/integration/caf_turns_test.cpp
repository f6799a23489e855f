// Threads that take the turns of what they have woken, in place of the runtime's own.

#include "tests/support/real_threads.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <string>
#include <thread>
#include <vector>

using namespace flock;
using namespace flock::testing;

namespace {

/// Makes this thread take the mailbox's turn, so that none of its turns is still about to end elsewhere.
void take_turn_of(mailbox& box, turn_taker& mine) {
  mine.keep();
  for (const auto until = soon(); !mine.has_kept() && system_clock().now() < until;) box.post([] {});
  mine.run();
}

}  // namespace

TEST_CASE("a turn taker runs the first mailbox that its thread woke, and the runtime's threads run the others") {
  auto threads = make_runtime();
  auto first = threads->make_mailbox("first");
  auto second = threads->make_mailbox("second");
  REQUIRE(drained(*first));
  REQUIRE(drained(*second));
  const auto mine = threads->make_turn_taker();
  std::thread::id ran_first;
  std::promise<std::thread::id> ran_second;

  mine->keep();
  const auto until = soon();
  while (!mine->has_kept() && system_clock().now() < until)  // its last turn may not have ended yet
    first->post([&] { ran_first = std::this_thread::get_id(); });
  second->post([&] { ran_second.set_value(std::this_thread::get_id()); });

  CHECK(ran_second.get_future().get() != std::this_thread::get_id());
  mine->run();
  CHECK(ran_first == std::this_thread::get_id());
  CHECK_FALSE(mine->has_kept());
}

TEST_CASE("a turn taker runs what a job has woken before what the job has posted to its own mailbox") {
  auto threads = make_runtime();
  auto home = threads->make_mailbox("home");
  auto woken = threads->make_mailbox("woken");
  const auto mine = threads->make_turn_taker();
  take_turn_of(*home, *mine);
  take_turn_of(*woken, *mine);
  std::vector<std::string> order;

  mine->keep();
  home->post([&] {
    home->post([&] { order.push_back("home again"); });
    woken->post([&] { order.push_back("woken"); });
  });
  mine->run();

  CHECK(order == std::vector<std::string>{"woken", "home again"});
}

TEST_CASE("what a turn taker has handed over, or kept to its end, is run by the runtime's threads") {
  auto threads = make_runtime();
  auto box = threads->make_mailbox("test");
  auto mine = threads->make_turn_taker();

  mine->keep();
  mine->hand_over();
  CHECK(drained(*box));

  mine->keep();
  signal done;
  box->post([&] { done.open(); });
  mine.reset();
  CHECK(done.passed());
}

TEST_CASE("a turn that is handed over by one of its jobs goes on with the next one elsewhere") {
  auto threads = make_runtime();
  auto box = threads->make_mailbox("test");
  const auto mine = threads->make_turn_taker();
  take_turn_of(*box, *mine);
  std::promise<std::thread::id> ran_next;

  mine->keep();
  box->post([&] {
    box->post([&] { ran_next.set_value(std::this_thread::get_id()); });
    mine->hand_over();
  });
  mine->run_one();

  CHECK(ran_next.get_future().get() != std::this_thread::get_id());
}

TEST_CASE("turns that are handed over again and again lose no job and keep their order") {
  auto threads = make_runtime();
  auto box = threads->make_mailbox("test");
  auto mine = threads->make_turn_taker();
  std::atomic<bool> over = false;
  std::thread hands_over([&] {
    while (!over) mine->hand_over();
  });
  std::vector<int> order;

  for (int i = 0; i < 20'000; ++i) {
    mine->keep();
    box->post([&, i] { order.push_back(i); });
    mine->run();
  }
  over = true;
  hands_over.join();
  mine.reset();

  REQUIRE(drained(*box));
  REQUIRE(order.size() == 20'000);
  CHECK(std::is_sorted(order.begin(), order.end()));
}
