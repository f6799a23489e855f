#include "tools/cluster/recorded_process.hpp"

#include <doctest/doctest.h>

#include <string>
#include <sys/wait.h>
#include <unistd.h>

using namespace flock::testing;
using flock::error_code;

TEST_CASE("a process's state and start are read beside a name with spaces and parentheses") {
  auto stat = process_stat::parse(
      "4711 (a ) R (b)) S 1 4711 4711 0 -1 4194560 100 0 0 0 1 2 0 0 20 0 1 0 728570 1000 200 18446744073709551615");

  REQUIRE(stat);
  CHECK(stat->state == 'S');
  CHECK(stat->start_time == "728570");
  CHECK_FALSE(process_stat::parse(""));
  CHECK_FALSE(process_stat::parse("4711 (sh) S 1 2 3"));
}

TEST_CASE("a recorded process is read back from its line") {
  recorded_process p{"zookeeper/1", 4711, "728570@some-boot"};

  CHECK(recorded_process::parse(p.line()) == flock::result(p));
  for (const char* wrong : {"", "bender0", "bender0 4711", "bender0 4711 1@b more", "bender0 x 1@b", "bender0 0 1@b",
                            "bender0 1 1@b", "bender0 -4711 1@b"})
    CHECK_MESSAGE(!recorded_process::parse(wrong), wrong);
}

TEST_CASE("a recorded process runs as long as nobody else has its pid") {
  auto self = recorded_process::of("self", ::getpid());
  REQUIRE(self);
  CHECK(self->is_running());

  auto another = *self;
  another.birth = "1@some-boot";

  CHECK_FALSE(another.is_running());
  CHECK_FALSE(another.signal(0));
  constexpr pid_t beyond_all = 1 << 30;
  CHECK(recorded_process::of("nobody", beyond_all).error().code == error_code::not_found);
}

TEST_CASE("what is another user's is not ended, and that is said") {
  if (::geteuid() != 0) return;  // only root can become somebody else
  const auto self = recorded_process::of("self", ::getpid());
  REQUIRE(self);
  const auto pid = ::fork();
  REQUIRE(pid >= 0);
  if (pid == 0) {
    constexpr uid_t nobody = 65534;
    if (::setuid(nobody) != 0) ::_exit(1);
    const auto ended = end_all({*self}, flock::milliseconds(0));
    const auto text = "cannot end what is another user's: self (pid " + std::to_string(self->pid) + ")";
    ::_exit(!ended && ended.error() == flock::error{error_code::refused, text} ? 0 : 1);
  }

  int status = -1;
  REQUIRE(::waitpid(pid, &status, 0) == pid);
  CHECK(status == 0);
}
