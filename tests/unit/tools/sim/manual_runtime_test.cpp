#include "tools/sim/manual_runtime.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <stdexcept>
#include <string>

using namespace std::chrono_literals;
using flock::mailbox;
using flock::task;
using flock::testing::manual_clock;
using flock::testing::manual_runtime;

namespace {

/// Says on a log that it was destroyed.
struct last_words {
  std::string* log;
  std::string words;
  ~last_words() { *log += words; }
};

std::string order_of_turns(std::uint64_t seed) {
  manual_clock time;
  manual_runtime threads(time, seed);
  std::string log;
  for (char name = 'a'; name < 'f'; ++name) {
    auto box = threads.make_mailbox("box");
    for (char job = '0'; job < '5'; ++job) box->post([&log, name, job] { log += {name, job}; });
  }
  threads.run_ready();
  return log;
}

}  // namespace

TEST_CASE("a manual clock moves both times when time passes and one when somebody sets it") {
  manual_clock time;
  auto now = time.now();
  auto wall = time.wall();

  time.advance(1500ms);
  CHECK(time.now() - now == 1500ms);
  CHECK(time.wall() - wall == 1500ms);

  time.set_wall(wall - 24h);
  CHECK(time.now() - now == 1500ms);
  CHECK(time.wall() == wall - 24h);

  time.advance(400us);
  time.advance(700us);
  CHECK(time.wall() == wall - 24h + 1ms);
}

TEST_CASE("jobs of one mailbox run in the order in which they were posted, each in its mailbox's turn") {
  manual_clock time;
  manual_runtime threads(time);
  auto box = threads.make_mailbox("box");
  std::string log;
  for (char c : {'a', 'b', 'c'}) {
    box->post([&, c] {
      log += c;
      CHECK(flock::current_mailbox() == box.get());
    });
  }
  CHECK(box->depth() == 3);
  CHECK(log.empty());

  CHECK(threads.run_ready() == 3);

  CHECK(log == "abc");
  CHECK(box->depth() == 0);
  CHECK(flock::current_mailbox() == nullptr);
  CHECK_FALSE(threads.run_one());
}

TEST_CASE("a job posted by a job waits for its turn") {
  manual_clock time;
  manual_runtime threads(time);
  auto box = threads.make_mailbox("box");
  std::string log;
  box->post([&] {
    box->post([&] { log += "inner"; });
    log += "outer ";
  });

  CHECK(threads.run_ready() == 2);

  CHECK(log == "outer inner");
}

TEST_CASE("without a seed, mailboxes take turns") {
  manual_clock time;
  manual_runtime threads(time);
  auto a = threads.make_mailbox("a");
  auto b = threads.make_mailbox("b");
  std::string log;
  for (int i = 0; i < 3; ++i) a->post([&] { log += 'a'; });
  for (int i = 0; i < 2; ++i) b->post([&] { log += 'b'; });

  threads.run_ready();

  CHECK(log == "ababa");
}

TEST_CASE("a seed chooses the order of turns, but not that within a mailbox") {
  auto log = order_of_turns(1);

  CHECK(log == order_of_turns(1));
  CHECK(log != order_of_turns(2));
  CHECK(log.size() == 50);
  for (char name = 'a'; name < 'f'; ++name) {
    std::string jobs;
    for (std::size_t i = 0; i < log.size(); i += 2)
      if (log[i] == name) jobs += log[i + 1];
    CHECK(jobs == "01234");
  }
}

TEST_CASE("advance goes from timer to timer, with those that are set on the way") {
  manual_clock time;
  manual_runtime threads(time);
  auto box = threads.make_mailbox("box");
  auto start = time.now();
  std::string log;
  auto note = [&] { log += std::to_string((time.now() - start) / 1ms) + " "; };
  box->post_at(start + 30ms, note);
  box->post_at(start + 10ms, [&] {
    note();
    box->post_at(start + 20ms, note);
    box->post_at(start + 5ms, note);  // in the past: at once
  });
  CHECK(threads.run_ready() == 0);
  CHECK(threads.next_timer() == start + 10ms);

  threads.advance(29ms);
  CHECK(log == "10 10 20 ");
  CHECK(time.now() == start + 29ms);

  threads.advance(1ms);
  CHECK(log == "10 10 20 30 ");
  CHECK_FALSE(threads.next_timer());
}

TEST_CASE("timers of one instant run in the order in which they were set, also when the test moves the clock") {
  manual_clock time;
  manual_runtime threads(time);
  auto box = threads.make_mailbox("box");
  std::string log;
  for (char c : {'a', 'b', 'c'}) box->post_at(time.now() + 1s, [&, c] { log += c; });

  time.advance(2s);
  threads.run_ready();

  CHECK(log == "abc");
}

TEST_CASE("closing a mailbox destroys its jobs and timers unrun, and those of nobody else") {
  manual_clock time;
  manual_runtime threads(time);
  auto box = threads.make_mailbox("box");
  auto other = threads.make_mailbox("other");
  std::string log;
  auto words = [&](const char* w) { return std::make_unique<last_words>(&log, w); };
  box->post([&, held = words("queued ")] { log += "ran "; });
  box->post_at(time.now() + 1s, [&, held = words("timed ")] { log += "ran "; });
  other->post_at(time.now() + 1s, [&] { log += "other "; });

  box->close();
  CHECK(log == "timed queued ");
  CHECK(box->depth() == 0);

  box->post([&, held = words("late ")] { log += "ran "; });
  threads.advance(2s);
  CHECK(log == "timed queued late other ");
}

TEST_CASE("a mailbox may be closed by its own job, and by a job that it drops") {
  manual_clock time;
  manual_runtime threads(time);
  auto box = threads.make_mailbox("box");
  bool ran = false;
  auto closer = std::shared_ptr<int>(nullptr, [&](int*) {
    box->close();
    box->post([&] { ran = true; });
  });
  box->post([&] { box->close(); });
  box->post([&ran, held = std::move(closer)] { ran = true; });

  CHECK(threads.run_ready() == 1);

  CHECK_FALSE(ran);
}

TEST_CASE("a mailbox that nobody holds still runs what waits in it") {
  manual_clock time;
  manual_runtime threads(time);
  int ran = 0;
  threads.make_mailbox("box")->post([&] { ++ran; });
  threads.make_mailbox("box")->post_at(time.now() + 1s, [&] { ++ran; });

  threads.advance(1s);

  CHECK(ran == 2);
}

TEST_CASE("a blocking job runs in a turn of its own and in no mailbox") {
  manual_clock time;
  manual_runtime threads(time);
  auto box = threads.make_mailbox("box");
  std::string log;
  box->post([&] {
    threads.run_blocking([&] {
      log += "blocking ";
      CHECK(flock::current_mailbox() == nullptr);
      box->post([&] { log += "answer"; });
    });
    log += "asked ";
  });

  threads.run_ready();

  CHECK(log == "asked blocking answer");
}

TEST_CASE("after stop nothing runs, and mailboxes may outlive the runtime") {
  manual_clock time;
  auto threads = std::make_unique<manual_runtime>(time);
  auto box = threads->make_mailbox("box");
  std::string log;
  box->post([&, held = std::make_unique<last_words>(&log, "queued ")] { log += "ran "; });
  box->post_at(time.now() + 1s, [&, held = std::make_unique<last_words>(&log, "timed ")] { log += "ran "; });

  threads->stop(time.now());
  CHECK(log.find("queued ") != log.npos);
  CHECK(log.find("timed ") != log.npos);
  threads->make_mailbox("later")->post([&] { log += "ran "; });
  threads->run_blocking([&] { log += "ran "; });
  threads->advance(2s);
  threads.reset();
  box->post([&] { log += "ran "; });

  CHECK(log.find("ran") == log.npos);
}

TEST_CASE("what a job throws goes up to the test, and the others still run") {
  manual_clock time;
  manual_runtime threads(time);
  auto box = threads.make_mailbox("box");
  bool ran = false;
  box->post([] { throw std::runtime_error("thrown by a job"); });
  box->post([&] { ran = true; });

  CHECK_THROWS_WITH(threads.run_ready(), "thrown by a job");
  CHECK(flock::current_mailbox() == nullptr);
  threads.run_ready();

  CHECK(ran);
}

TEST_CASE("jobs without end are reported") {
  manual_clock time;
  manual_runtime threads(time);
  auto box = threads.make_mailbox("box");
  struct again {
    mailbox& in;
    void operator()() const { in.post(*this); }
  };
  box->post(again{*box});

  CHECK_THROWS_AS(threads.run_ready(), std::runtime_error);
}
