// Whatever happens to ZooKeeper, no node is called dead for it, notifications between connected nodes go on, and when
// it is back everybody is registered again by itself (I1, I7, I8).

#include "tests/chaos/stage.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <string>

using namespace flock::chaos;
using namespace std::chrono_literals;

namespace {

/// Notifications go on while the fault lasts: some are accepted, and a call from one node to another is answered.
void check_that_work_goes_on(stage& s) {
  s.let_pass(20);
  const auto pong = s.flock().node("bender0").get("/v1/ping/bender1");
  s.expect(pong.has_value(), "bender1 answers bender0: " + (pong ? "" : to_string(pong.error())));
}

void check(stage& s, const fault& f, flock::milliseconds lasts) {
  s.let_pass(20);
  s.during(f, lasts, [&] { check_that_work_goes_on(s); });
  check_that_work_goes_on(s);
}

void finish(stage& s) {
  s.expect_nobody_was_called_dead();
  const auto wrong = s.finish();
  CHECK_MESSAGE(wrong.empty(), wrong);
}

/// Which server of an ensemble leads. 0: none
int leader(stage& s, int servers) {
  for (int number = 1; number <= servers; ++number) {
    const auto status = s.flock().zookeeper(number).ask("srvr");
    if (status && status->find("Mode: leader") != std::string::npos) return number;
  }
  return 0;
}

}  // namespace

TEST_CASE("ZooKeeper is killed and comes back, after a moment and after all sessions should have ended") {
  stage s("zookeeper-killed", {});
  s.begin_load();

  check(s, kill_zookeeper(s.flock()), s.chance().between(0ms, stage::session_timeout / 2));
  check(s, kill_zookeeper(s.flock()), 2 * stage::session_timeout);

  finish(s);
}

TEST_CASE("ZooKeeper stands still for longer than a session time-out") {
  stage s("zookeeper-paused", {});
  s.begin_load();

  check(s, pause_zookeeper(s.flock()), 2 * stage::session_timeout);

  finish(s);
}

TEST_CASE("the session of a living node ends, and of each of them") {
  stage s("session-ended", {});
  s.begin_load();

  for (const auto& id : s.ids()) check(s, end_session(s.flock(), id), s.chance().between(0ms, 300ms));

  finish(s);
}

TEST_CASE("ZooKeeper forgets everything") {
  stage s("zookeeper-wiped", {});
  s.begin_load();

  check(s, wipe_zookeepers(s.flock(), 1), s.chance().between(0ms, 2 * stage::session_timeout));

  finish(s);
}

TEST_CASE("three ZooKeeper servers lose their leader, one after the other") {
  constexpr int servers = 3;
  stage s("zookeeper-leader", {.zookeepers = servers});
  s.begin_load();

  for (int i = 0; i < 2; ++i) {
    int number = 0;
    s.expect_soon([&] { return (number = leader(s, servers)) != 0; }, "the ensemble has a leader");
    if (number != 0) check(s, kill_zookeeper(s.flock(), number), s.chance().between(500ms, stage::session_timeout));
  }

  finish(s);
}
