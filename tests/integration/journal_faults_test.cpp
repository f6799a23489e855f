// A journal on a disk that is full, fails, lies, and loses its power: nothing that was told to be durable is lost, and
// nothing is half done.

#include "libflock/sqlite/journal_schema.hpp"
#include "libflock/sqlite/sqlite_journal.hpp"
#include "tests/support/faulty_disk.hpp"
#include "tests/support/journal_folder.hpp"
#include "tests/support/journal_history.hpp"
#include "tests/support/polling.hpp"
#include "tests/support/storage_contract.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <sys/resource.h>
#include <vector>

using namespace flock::testing;
using namespace std::chrono_literals;
using flock::error_code;
using flock::storage;
using failed_sync = faulty_disk::failed_sync;

namespace {

using lines = std::vector<std::string>;

/// A journal on a faulty disk, and a history of which it is told one write after the other.
struct fixture {
  faulty_disk disk;
  journal_folder folder;
  std::unique_ptr<storage> journal;
  written_log told;
  std::size_t written = 0;

  flock::internal::sqlite_journal_options options() {
    auto o = folder.options();
    o.vfs = disk.vfs();
    o.log_pages = 20;  // so that there are checkpoints among what fails
    return o;
  }
  void open() { journal = folder.open(options()); }
  void open_with_long_log() {
    auto o = options();
    o.log_pages = 1'000'000;
    journal = folder.open(o);
  }
  void write(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      journal->write(journal_history::write(written), told.entry(std::to_string(written)));
      ++written;
    }
  }
  /// One after the other, each in a commit of its own, until the disk does not go on.
  void write_slowly(std::size_t count) {
    for (std::size_t i = 0; i < count && disk.has_power(); ++i) {
      write(1);
      while (disk.has_power() && !told.wait_for(written, 1ms)) continue;
    }
  }
  /// As the end of a process whose disk has refused a sync, and which has not heard better of it.
  void end_after_a_failed_sync() {
    disk.fail_syncs(0, 1000);
    write(1);
    REQUIRE(eventually([&] { return journal->trouble().has_value(); }));
    disk.cut_power();
    journal.reset();
    disk.restart_process();
  }
  std::size_t durable() const {
    const auto all = told.all();
    return static_cast<std::size_t>(std::ranges::count_if(all, [](auto& t) { return !t.second; }));
  }
  /// What was told of was told in order.
  void check_order() const {
    const auto all = told.all();
    for (std::size_t i = 0; i < all.size(); ++i) REQUIRE(all[i].first == std::to_string(i));
  }
};

/// While it lives this process can open no file, so it can read none.
class no_files_left {
 public:
  no_files_left() {
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before_) == 0);
    const rlimit none{0, before_.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  }
  ~no_files_left() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

}  // namespace

TEST_CASE_FIXTURE(fixture, "a journal on the faulty disk of these tests works while there are no faults") {
  open();
  write(500);
  REQUIRE(told.wait_for(500));
  journal.reset();
  disk.restart_process();
  open();

  CHECK(journal_history::check(*journal, 500) == 500);
  CHECK(disk.syncs() > 0);
}

TEST_CASE_FIXTURE(fixture, "on a full disk writes wait, and are made durable in their order when there is room") {
  open();
  write(10);
  REQUIRE(told.wait_for(10));
  disk.fill(true);
  write(400);
  REQUIRE(eventually([&] { return journal->trouble().has_value(); }));

  CHECK(journal->trouble()->code == error_code::io);
  CHECK(journal->trouble()->what == "the disk is full: " + folder.file());
  CHECK(journal->stats().waiting > 0);
  CHECK(journal->stats().last_error == journal->trouble()->what);
  CHECK(durable() < 410);
  write(10);
  disk.fill(false);

  REQUIRE(told.wait_for(420));
  check_order();
  CHECK(durable() == 420);
  CHECK(eventually([&] { return !journal->trouble().has_value(); }));
  CHECK(journal->stats().waiting == 0);
  CHECK(journal->stats().last_error == "the disk is full: " + folder.file());
  // A write that still fits into the room that the log was given ends the trouble for a moment.
  const auto troubles = folder.log("the disk is full").size();
  CHECK(troubles >= 1);
  CHECK(folder.log("the disk takes writes again").size() == troubles);
  CHECK(journal_history::check(*journal, 420) == 420);
}

TEST_CASE_FIXTURE(fixture, "a log is written on into the room that it was given before the disk was full") {
  open_with_long_log();
  const auto size = [this] { return std::filesystem::file_size(folder.file() + "-wal"); };
  write_slowly(50);
  for (auto before = size(); size() == before;) write_slowly(1);
  disk.fill(true);
  write(1);
  REQUIRE(told.wait_for(written));
  CHECK(folder.log("the disk is full").empty());
}

TEST_CASE_FIXTURE(fixture, "a full disk takes what needs no more room than the log has") {
  open_with_long_log();
  write(1);
  const auto write_key = [this] { flock::testing::write(*journal, {{"key", std::string(500, 'x')}}); };
  for (int i = 0; i < 50; ++i) write_key();
  disk.fill(true);

  for (int i = 0; i < 50 && folder.log("the disk is full").empty(); ++i) write_key();

  CHECK_FALSE(folder.log("the disk is full").empty());
}

TEST_CASE_FIXTURE(fixture,
                  "a write or sync that fails is tried again on a file that was opened and looked through anew") {
  open();
  write(20);
  REQUIRE(told.wait_for(20));

  for (int round = 0; round < 30; ++round) {
    const auto before = written;
    if (round % 2 == 0)
      disk.fail_writes(round);
    else
      disk.fail_syncs(round / 4, 1 + round % 3,
                      round % 4 == 1 ? failed_sync::is_dropped : failed_sync::stays_in_memory);
    write(20);
    REQUIRE(told.wait_for(before + 20));
  }
  disk.fail_writes(1 << 30);  // the last fault may wait for a write that is yet to come
  write(1);
  REQUIRE(told.wait_for(written));

  check_order();
  CHECK(durable() == written);
  CHECK_FALSE(journal->trouble().has_value());
  CHECK_FALSE(folder.log("disk I/O error, syncing").empty());
  CHECK_FALSE(folder.log("disk I/O error, writing").empty());
  CHECK(folder.log("damaged").empty());
  CHECK(journal_history::check(*journal, written) == written);
}

TEST_CASE_FIXTURE(fixture, "while a sync fails again and again there is trouble, and nothing is told to be durable") {
  open();
  disk.fail_syncs(0, 20);
  write(1);
  REQUIRE(eventually([&] { return journal->trouble().has_value(); }));
  CHECK(journal->trouble()->what.starts_with(folder.file()));
  CHECK(durable() == 0);

  REQUIRE(told.wait_for(1));
  CHECK(durable() == 1);
  CHECK(folder.log("tried again").size() <= 2);  // of the log's file and of the database's
}

TEST_CASE("what was told to be durable outlives a loss of power at any moment, and nothing of a write is there alone") {
  // As many operations as the writes take, and what they take grows with the rounds.
  for (int after = 1; after < 160; after += 2) {
    fixture f;
    CAPTURE(after);
    f.open();
    f.disk.cut_power(after);
    f.write_slowly(60);
    f.journal.reset();
    f.disk.restore_power(static_cast<std::uint64_t>(after));

    f.open();

    journal_history::check(*f.journal, f.durable());
    f.check_order();
  }
}

TEST_CASE("power that goes at any moment while a journal is made leaves one that opens, or none") {
  bool was_made = false;
  for (int after = 0; !was_made; ++after) {
    fixture f;
    CAPTURE(after);
    REQUIRE(after < 100);
    f.disk.cut_power(after);
    (void)flock::internal::open_sqlite_journal(f.options());
    was_made = f.disk.has_power();
    f.disk.restore_power(static_cast<std::uint64_t>(after));

    f.open();

    CHECK(journal_history::check(*f.journal, 0) == 0);
    f.write_slowly(3);
    CHECK(f.durable() == 3);
  }
}

TEST_CASE_FIXTURE(fixture, "a journal is made with few syncs: a machine's first start waits for each of them") {
  open();

  CHECK(disk.syncs() <= 5);
}

TEST_CASE_FIXTURE(fixture, "a first page that cannot be read is not taken for one that is empty") {
  const std::string page(4096, 'x');
  std::filesystem::create_directory(folder.path());
  std::ofstream(folder.file()) << page;

  {
    flock::internal::sqlite_database db;
    const no_files_left now;
    CHECK(flock::internal::open_journal(db, folder.file(), "").has_value());
  }

  CHECK(std::filesystem::file_size(folder.file()) == page.size());
}

TEST_CASE_FIXTURE(fixture, "a log of several megabytes is read again after a crash") {
  auto o = options();
  o.log_pages = 1'000'000;
  journal = folder.open(o);
  flock::testing::write(*journal, {{"key", std::string(3'000'000, 'x')}});
  disk.cut_power();
  journal.reset();
  REQUIRE(std::filesystem::file_size(folder.file() + "-wal") > 3'000'000);
  disk.restart_process();

  open();

  CHECK(read(*journal, "") == lines{"key=" + std::string(3'000'000, 'x')});
}

TEST_CASE("what was told to be durable after a sync that failed outlives a loss of power") {
  for (const auto how : {failed_sync::stays_in_memory, failed_sync::is_dropped}) {
    for (int round = 0; round < 36; ++round) {
      fixture f;
      CAPTURE(static_cast<int>(how));
      CAPTURE(round);
      f.open();
      f.write_slowly(5);
      f.disk.fail_syncs(round % 12, 1 + round % 2, how);
      f.disk.cut_power(10 + round * 3);
      f.write_slowly(60);
      f.journal.reset();
      f.disk.restore_power(static_cast<std::uint64_t>(round));

      f.open();

      journal_history::check(*f.journal, f.durable());
    }
  }
}

TEST_CASE("a process that follows one whose sync failed does not build on what is not on the disk") {
  for (int round = 0; round < 20; ++round) {
    fixture f;
    CAPTURE(round);
    f.open();
    f.write_slowly(static_cast<std::size_t>(round));
    f.end_after_a_failed_sync();

    f.open();
    f.written = journal_history::check(*f.journal, static_cast<std::size_t>(round));
    const auto before = f.told.count();
    f.write(3);
    REQUIRE(f.told.wait_for(before + 3));
    f.disk.cut_power();
    f.journal.reset();
    f.disk.restore_power(static_cast<std::uint64_t>(round));
    f.open();

    journal_history::check(*f.journal, f.written);
  }
}

TEST_CASE("power that goes while such a process opens the journal leaves nothing half done") {
  for (int round = 0; round < 60; ++round) {
    fixture f;
    CAPTURE(round);
    f.open();
    f.write_slowly(30);
    f.end_after_a_failed_sync();

    f.disk.cut_power(1 + round % 20);
    (void)flock::internal::open_sqlite_journal(f.options());
    f.disk.restore_power(static_cast<std::uint64_t>(round));
    f.open();

    journal_history::check(*f.journal, 30);
  }
}

TEST_CASE_FIXTURE(fixture, "a journal on a broken disk stops in time, and says that what waited may be lost") {
  open();
  write(3);
  REQUIRE(told.wait_for(3));
  disk.cut_power();
  write(3);

  journal->stop();

  REQUIRE(told.count() == 6);
  check_order();
  CHECK(told.all().back().second == error_code::shutting_down);
}

TEST_CASE_FIXTURE(fixture, "a journal whose file was taken away says so, makes a new one, and tells the next life") {
  open();
  write(3);
  REQUIRE(told.wait_for(3));
  const auto id = journal->id();
  std::filesystem::remove(folder.file());

  write(1);
  REQUIRE(told.wait_for(4));
  CHECK_FALSE(folder.log("was moved or removed while it was in use").empty());
  CHECK(journal->stats().set_aside == 1);
  journal.reset();
  open();

  CHECK(journal->id() == id);
  CHECK(journal->damaged() == lines{""});
}
