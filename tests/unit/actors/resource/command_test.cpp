#include "actors/resource/command.hpp"

#include "actors/resource/posix.hpp"
#include "tests/support/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>

using namespace flock;
using flock::testing::temporary_folder;

namespace {

command_result run(const command& what) {
  auto ended = run_command(what, {});
  REQUIRE_MESSAGE(ended, to_string(ended.error()));
  return *std::move(ended);
}

bool ends_soon(pid_t process) {
  const descriptor handle(static_cast<int>(::syscall(SYS_pidfd_open, process, 0)));
  pollfd ended{handle.number(), POLLIN, 0};
  return !handle || ::poll(&ended, 1, 10'000) == 1;
}

constexpr milliseconds soon{50};

}  // namespace

TEST_CASE("a command's stdout and stderr come in the order in which they were written") {
  const auto ended = run({.line = "echo one; echo two >&2; echo three"});

  CHECK(ended.succeeded());
  CHECK(ended.output == "one\ntwo\nthree\n");
}

TEST_CASE("a command tells its exit status") {
  const auto ended = run({.line = "echo no; exit 3"});

  CHECK_FALSE(ended.succeeded());
  CHECK(ended.exit_status == 3);
  CHECK(ended.why() == "exit status 3");
}

TEST_CASE("a command that a signal ended is told as a shell tells it") {
  const auto ended = run({.line = "kill -9 $$"});

  CHECK(ended.exit_status == 137);
  CHECK(ended.why() == "ended by signal 9 (Killed)");
}

TEST_CASE("a command reads nothing from stdin") { CHECK(run({.line = "cat; echo done"}).output == "done\n"); }

TEST_CASE("a command runs in its cwd") { CHECK(run({.line = "pwd", .cwd = "/"}).output == "/\n"); }

TEST_CASE("a missing cwd is an error that names it, not an exit status") {
  const auto ended = run_command({.line = "true", .cwd = "/no/such/folder"}, {});

  REQUIRE_FALSE(ended);
  CHECK(ended.error() ==
        error{error_code::io, "cannot change to directory /no/such/folder: No such file or directory"});
}

TEST_CASE("an unknown user is an error that names it") {
  const auto ended = run_command({.line = "true", .user = "no-such-user"}, {});

  REQUIRE_FALSE(ended);
  CHECK(ended.error() == error{error_code::bad_argument, "no user is named no-such-user"});
}

TEST_CASE("a command runs as its user, or says that it may not") {
  const bool may = ::geteuid() == 0;

  const auto ended = run_command({.line = "id -un; id -Gn", .user = may ? "nobody" : "root"}, {});

  if (may) {
    REQUIRE(ended);
    CHECK(ended->output == "nobody\nnogroup\n");
  } else {
    REQUIRE_FALSE(ended);
    CHECK(ended.error() == error{error_code::io, "cannot become user root: Operation not permitted"});
  }
}

TEST_CASE("a command's environment is on top of ours, without the registry's secret") {
  ::setenv("FLOCK_REGISTRY_AUTH", "digest:user:secret", 1);
  ::setenv("FLOCK_TEST_A", "ours", 1);
  ::setenv("FLOCK_TEST_B", "ours", 1);

  const auto ended = run({.line = "echo $FLOCK_TEST_A $FLOCK_TEST_B ${FLOCK_REGISTRY_AUTH-none}",
                          .environment = {{"FLOCK_TEST_B", "its own"}}});
  ::unsetenv("FLOCK_REGISTRY_AUTH");

  CHECK(ended.output == "ours its own none\n");
}

TEST_CASE("a command inherits no descriptor, though it was opened without O_CLOEXEC") {
  const descriptor ours(::open("/dev/null", O_RDONLY));

  const auto ended = run({.line = "test -e /proc/self/fd/" + std::to_string(ours.number()) + " || echo closed"});

  CHECK(ended.output == "closed\n");
}

TEST_CASE("a command starts with no signal blocked or ignored") {
  const auto before = ::signal(SIGPIPE, SIG_IGN);
  sigset_t usr1;
  ::sigemptyset(&usr1);
  ::sigaddset(&usr1, SIGUSR1);
  ::pthread_sigmask(SIG_BLOCK, &usr1, nullptr);

  const auto ended = run({.line = "grep -E '^Sig(Blk|Ign):' /proc/self/status | cut -f2"});
  ::pthread_sigmask(SIG_UNBLOCK, &usr1, nullptr);
  ::signal(SIGPIPE, before);

  CHECK(ended.output == "0000000000000000\n0000000000000000\n");
}

TEST_CASE("of much output the end is kept, below a line that says how much was cut") {
  const auto ended = run({.line = "head -c 1048576 /dev/zero | tr '\\0' x; echo the end"});

  const std::string mark = "[" + std::to_string(1048576 + 8 - command_result::max_output) + " bytes cut]\n";
  CHECK(ended.output.starts_with(mark));
  CHECK(
      ended.output.ends_with("xxx"
                             "the end\n"));
  CHECK(ended.output.size() == mark.size() + command_result::max_output);
}

TEST_CASE("output is not cut inside a character") {
  const auto ended = run({.line = "yes '\xe2\x82\xac' | head -n 20000 | tr -d '\\n'"});

  const auto after_mark = ended.output.find('\n') + 1;
  CHECK(ended.output.substr(after_mark, 3) == "\xe2\x82\xac");
}

TEST_CASE("output that is no UTF-8 comes as it is") {
  CHECK(run({.line = "printf '\\377\\000\\376'"}).output == std::string("\xff\0\xfe", 3));
}

TEST_CASE("what a command leaves in the background goes on and holds nobody up") {
  const auto ended = run({.line = "sleep 30 & echo $!"});

  const pid_t left = std::stoi(ended.output);
  CHECK(ended.succeeded());
  CHECK(::kill(left, SIGKILL) == 0);
}

TEST_CASE("a command whose time is up ends with all that it started") {
  const auto ended = run({.line = "sleep 30 & echo $!; sleep 30", .timeout = soon});

  CHECK(ended.timed_out);
  CHECK_FALSE(ended.succeeded());
  CHECK(ended.why() == "timed out");
  CHECK(ends_soon(std::stoi(ended.output)));
}

TEST_CASE("a command that was told to end may clean up") {
  const auto ended = run({.line = "trap 'echo clean; exit 0' TERM; echo up; while :; do :; done", .timeout = soon});

  CHECK(ended.timed_out);
  CHECK(ended.output == "up\nclean\n");
}

TEST_CASE("a command is cancelled from another thread") {
  const temporary_folder folder;
  const std::string gate = folder.path() / "gate";
  REQUIRE(::mkfifo(gate.c_str(), 0600) == 0);
  std::stop_source cancel;
  std::jthread canceller([&] {
    std::ifstream(gate).get();  // until the command runs
    cancel.request_stop();
  });

  const auto ended = run_command({.line = "echo > " + gate + "; sleep 30"}, cancel.get_token());

  REQUIRE(ended);
  CHECK(ended->cancelled);
  CHECK_FALSE(ended->timed_out);
  CHECK(ended->why() == "cancelled");
}

TEST_CASE("a command is not started when all is cancelled") {
  std::stop_source cancel;
  cancel.request_stop();

  const auto ended = run_command({.line = "true"}, cancel.get_token());

  REQUIRE_FALSE(ended);
  CHECK(ended.error().code == error_code::shutting_down);
}
