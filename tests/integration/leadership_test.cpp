#include "libflock/tls/leadership.hpp"

#include "tests/support/real_threads.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <utility>
#include <vector>

using namespace flock;
using namespace flock::internal;
using flock::testing::make_runtime;
using flock::testing::soon;
using namespace std::chrono_literals;

namespace {

bool happens(const std::future<void>& event) { return event.wait_until(soon()) == std::future_status::ready; }

/// A reactor whose events are functions, and the threads that serve at it.
class reactor {
 public:
  explicit reactor(int servers = leadership::servers, runtime* threads = nullptr)
      : leaders_([this] { return work(); }, [this] { post([] {}); }, threads) {
    for (int i = 0; i < servers; ++i) threads_.emplace_back([this] { leaders_.serve(); });
    for (const auto& t : threads_) servers_.insert(t.get_id());
  }
  ~reactor() { end(); }

  void post(std::function<void()> event) {
    std::lock_guard lock(mutex_);
    events_.push_back(std::move(event));
    changed_.notify_one();
  }

  void end() {
    {
      std::lock_guard lock(mutex_);
      ended_ = true;
      changed_.notify_all();
    }
    for (auto& t : threads_)
      if (t.joinable()) t.join();
  }

  leadership& leaders() { return leaders_; }
  bool is_server(std::thread::id id) const { return servers_.contains(id); }
  bool broke_its_promise() const { return two_at_once_; }

 private:
  bool work() {
    if (working_.exchange(true)) two_at_once_ = true;
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return ended_ || !events_.empty(); });
    std::function<void()> event;
    if (!events_.empty()) {
      event = std::move(events_.front());
      events_.pop_front();
    }
    lock.unlock();
    if (event) event();
    working_ = false;
    return event != nullptr;
  }

  std::mutex mutex_;  // guards the next three
  std::condition_variable changed_;
  std::deque<std::function<void()>> events_;
  bool ended_ = false;
  std::atomic<bool> working_ = false;
  std::atomic<bool> two_at_once_ = false;
  leadership leaders_;
  std::vector<std::thread> threads_;
  std::set<std::thread::id> servers_;
};

}  // namespace

TEST_CASE("a thread that waits again and again comes to read its own answers") {
  reactor at;
  const auto me = std::this_thread::get_id();

  const auto until = soon();
  bool by_me = false;
  while (!by_me && system_clock().now() < until) {
    gate answered;
    at.post([&] {
      by_me = std::this_thread::get_id() == me;
      answered.open();
    });
    at.leaders().await(answered);
  }

  CHECK(by_me);
  CHECK_FALSE(at.broke_its_promise());
}

TEST_CASE("events are handled also when the thread that waited is gone") {
  reactor at;
  for (int i = 0; i < 100; ++i) {
    gate answered;
    at.post([&] { answered.open(); });
    at.leaders().await(answered);
  }
  std::promise<void> handled;

  at.post([&] { handled.set_value(); });

  CHECK(happens(handled.get_future()));
}

TEST_CASE("a gate may go as soon as it has been awaited, though it was open before") {
  // Only ThreadSanitizer sees that the one who opens it would touch what has gone.
  reactor at;
  auto opened = std::make_unique<gate>();
  std::thread opens([&g = *opened] { g.open(); });
  while (!opened->is_open()) std::this_thread::yield();

  at.leaders().await(*opened);
  opened.reset();

  opens.join();
}

TEST_CASE("of many threads that wait each goes on when its gate opens, whoever opens it") {
  reactor at;
  constexpr int callers = 6;
  constexpr int calls = 2'000;
  std::vector<std::thread> threads;

  for (int c = 0; c < callers; ++c) {
    threads.emplace_back([&, c] {
      for (int i = 0; i < calls; ++i) {
        auto answered = std::make_shared<gate>();
        if (c == 0)
          std::thread([answered] { answered->open(); }).detach();
        else
          at.post([answered] { answered->open(); });
        at.leaders().await(*answered);
      }
    });
  }
  for (auto& t : threads) t.join();

  CHECK_FALSE(at.broke_its_promise());
}

TEST_CASE("a thread that waits at the end of all work goes on when its gate opens") {
  reactor at;
  gate answered;
  std::promise<void> went_on;
  std::thread waits([&] {
    at.leaders().await(answered);
    went_on.set_value();
  });

  at.end();
  answered.open();

  CHECK(happens(went_on.get_future()));
  waits.join();
}

TEST_CASE("the thread that reads takes the turn of the mailbox that it woke") {
  const auto threads = make_runtime();
  reactor at(leadership::servers, threads.get());
  const auto box = threads->make_mailbox("test");

  // A mailbox that is still in a turn elsewhere is none that it could take; so not each time.
  const auto until = soon();
  bool by_reader = false;
  while (!by_reader && system_clock().now() < until) {
    std::promise<bool> ran;
    at.post([&] { box->post([&] { ran.set_value(at.is_server(std::this_thread::get_id())); }); });
    by_reader = ran.get_future().get();
  }

  CHECK(by_reader);
}

TEST_CASE("a turn that does not end keeps no other event waiting") {
  const auto threads = make_runtime();
  reactor at(leadership::servers, threads.get());
  const auto slow = threads->make_mailbox("slow");
  const auto other = threads->make_mailbox("other");
  std::promise<void> goes_on;
  std::vector<std::promise<void>> handled(3);

  at.post([&] { slow->post([&] { goes_on.get_future().wait(); }); });
  for (auto& h : handled) at.post([&] { other->post([&] { h.set_value(); }); });

  for (auto& h : handled) CHECK(happens(h.get_future()));
  goes_on.set_value();
}

TEST_CASE("turns that do not end, one for each thread that reads, keep no other event waiting") {
  const auto threads = make_runtime();
  reactor at(leadership::servers, threads.get());
  std::promise<void> goes_on;
  const auto held_up = goes_on.get_future().share();
  std::vector<std::shared_ptr<mailbox>> slow;
  for (int i = 0; i < leadership::servers; ++i) slow.push_back(threads->make_mailbox("slow"));
  std::promise<void> handled;

  for (const auto& box : slow) at.post([&] { box->post([held_up] { held_up.wait(); }); });
  at.post([&] { handled.set_value(); });

  CHECK(happens(handled.get_future()));
  goes_on.set_value();
}

TEST_CASE("with nobody to take over, turns are left to the runtime's threads") {
  const auto threads = make_runtime();
  reactor at(1, threads.get());
  const auto box = threads->make_mailbox("test");

  for (int i = 0; i < 100; ++i) {
    std::promise<bool> ran;
    at.post([&] { box->post([&] { ran.set_value(at.is_server(std::this_thread::get_id())); }); });
    CHECK_FALSE(ran.get_future().get());
  }
}
