// A process that is killed while it writes: what it was told to be durable is there, and nothing is half done.

#include "libflock/sqlite/sqlite_journal.hpp"
#include "tests/support/journal_folder.hpp"
#include "tests/support/journal_history.hpp"
#include "tests/support/storage_contract.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <cstdint>
#include <random>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

using namespace flock::testing;

namespace {

/// A process that goes on with a history in a journal, and says through a pipe how much of it is durable.
class writer {
 public:
  writer(const flock::internal::sqlite_journal_options& o, std::size_t from) {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    child_ = ::fork();
    REQUIRE(child_ >= 0);
    if (child_ == 0) {
      ::close(ends[0]);
      write_for_ever(o, from, ends[1]);
      ::_exit(1);
    }
    ::close(ends[1]);
    pipe_ = ends[0];
  }
  ~writer() {
    if (child_ > 0) kill();
    ::close(pipe_);
  }
  writer(const writer&) = delete;
  writer& operator=(const writer&) = delete;

  /// Waits until it has said so often that something is durable.
  void hear(int words) {
    for (; words > 0; --words) REQUIRE(::read(pipe_, &durable_, sizeof durable_) == sizeof durable_);
  }
  /// \returns how much it said to be durable
  std::size_t kill() {
    ::kill(child_, SIGKILL);
    while (::read(pipe_, &durable_, sizeof durable_) == sizeof durable_) continue;
    ::waitpid(std::exchange(child_, -1), nullptr, 0);
    return durable_;
  }

 private:
  /// In the child: no doctest here.
  static void write_for_ever(flock::internal::sqlite_journal_options o, std::size_t from, int pipe) {
    o.log = {};
    auto journal = flock::internal::open_sqlite_journal(o);
    if (!journal) return;
    for (auto next = from;; ++next) {
      const auto tell = [pipe, upto = static_cast<std::uint32_t>(next + 1)](const flock::result<void>& how) {
        if (!how || ::write(pipe, &upto, sizeof upto) != sizeof upto) ::_exit(1);
      };
      (*journal)->write(journal_history::write(next), tell);
      // Bursts, so that commits are of many sizes, and their callbacks keep up.
      while ((*journal)->stats().waiting > next % 40) ::usleep(50);
    }
  }

  pid_t child_ = -1;
  int pipe_ = -1;
  std::uint32_t durable_ = 0;
};

}  // namespace

TEST_CASE("what a journal had told to be durable is there after kill -9, and nothing of a write is there alone") {
  journal_folder folder;
  auto options = folder.options();
  options.log_pages = 30;  // so that some are killed in a checkpoint
  std::mt19937_64 random(1);
  std::size_t count = 0;

  for (int round = 0; round < 25; ++round) {
    CAPTURE(round);
    writer process(options, count);
    process.hear(1 + static_cast<int>(random() % 150));
    const auto durable = process.kill();
    auto journal = folder.open(options);
    count = journal_history::check(*journal, durable);
  }

  CHECK(folder.log("error").empty());
}

TEST_CASE("a journal that a living process has open is not opened by another one, and is when that was killed") {
  journal_folder folder;
  writer other(folder.options(), 0);
  other.hear(1);

  const auto why = folder.refusal();
  CHECK(why.code == flock::error_code::conflict);
  CHECK(why.what == folder.path() + " is used by another process");
  const auto durable = other.kill();

  journal_history::check(*folder.open(), durable);
}
