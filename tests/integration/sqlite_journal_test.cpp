// The journal on a real disk: what it keeps, whom it lets in, and what it does with other versions.

#include "libflock/sqlite/sqlite_journal.hpp"

#include "libflock/caf/caf_runtime.hpp"
#include "libflock/sqlite/journal_schema.hpp"
#include "tests/support/journal_folder.hpp"
#include "tests/support/polling.hpp"
#include "tests/support/storage_contract.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <set>
#include <string>
#include <thread>
#include <vector>

using namespace flock::testing;
using namespace std::chrono_literals;
using flock::error_code;
using flock::storage;
using flock::internal::check_sqlite_journal;
using flock::internal::fault;
using flock::internal::migrate;
using flock::internal::open_sqlite_journal;
using flock::internal::sqlite_database;

namespace {

namespace fs = std::filesystem;
using lines = std::vector<std::string>;

class journal_world final : public storage_world {
 public:
  storage& open() override {
    open_ = folder_.open();
    return *open_;
  }
  void close() override { open_.reset(); }

 private:
  journal_folder folder_;
  std::unique_ptr<storage> open_;
};

}  // namespace

TEST_CASE("the journal keeps the contract of storages") { check_storage_contract<journal_world>(); }

TEST_CASE("a journal makes its folder and files for its user alone, and no more than that folder") {
  journal_folder f;
  f.open();

  CHECK(fs::status(f.path()).permissions() == fs::perms::owner_all);
  CHECK(fs::status(f.file()).permissions() == (fs::perms::owner_read | fs::perms::owner_write));
  auto o = f.options();
  o.folder = f.path() + "/not/there";
  auto refused = open_sqlite_journal(o);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == error_code::io);
  CHECK(refused.error().what == "cannot make " + o.folder + ": No such file or directory");
}

TEST_CASE("the thread that has written takes the turn of the mailbox that waited for that") {
  const auto threads = flock::internal::make_caf_runtime(flock::system_clock());
  const auto box = threads->make_mailbox("waits");
  journal_folder f;
  auto o = f.options();
  o.threads = threads.get();
  auto journal = open_sqlite_journal(o);
  REQUIRE(journal);

  // While the turn before is still about to end elsewhere, that thread takes this one, too.
  CHECK(eventually([&] {
    std::promise<bool> same;
    (*journal)->write({{"key", "data"}}, [&](const flock::result<void>&) {
      box->post([&, writer = std::this_thread::get_id()] { same.set_value(writer == std::this_thread::get_id()); });
    });
    return same.get_future().get();
  }));
  (*journal)->stop();
}

TEST_CASE("a file in the place of the folder is said") {
  journal_folder f;
  std::ofstream(f.path()) << "x";

  CHECK(f.refusal().what == "cannot open " + f.path() + ": Not a directory");
  CHECK(check_sqlite_journal(f.path()).error().what == "cannot open " + f.path() + ": Not a directory");
}

TEST_CASE("a journal that is open cannot be opened again until it is closed") {
  journal_folder f;
  auto first = f.open();

  const auto why = f.refusal();
  CHECK(why.code == error_code::conflict);
  CHECK(why.what == f.path() + " is used by another process");
  first.reset();

  f.open();
}

TEST_CASE("a journal whose file somebody looks into is not opened") {
  journal_folder f;
  f.open();
  sqlite_database other;
  REQUIRE_FALSE(other.open(f.file(), ""));
  REQUIRE_FALSE(other.execute("pragma locking_mode = exclusive; begin immediate"));

  const auto why = f.refusal();
  CHECK(why.code == error_code::conflict);
  CHECK(why.what == f.file() + " is used by another process");
  other.close();

  f.open();
}

TEST_CASE("every journal has an id of its own") {
  journal_folder one, other;

  const auto first = one.open()->id(), second = other.open()->id();
  CHECK(first != second);
  CHECK(first.size() == 32);
}

TEST_CASE("a journal counts its commits and bytes, and names its file") {
  journal_folder f;
  auto journal = f.open();
  const auto before = journal->stats();

  write(*journal, {{"a", std::string(50'000, 'x')}});
  write(*journal, {{"b", "x"}});

  const auto after = journal->stats();
  CHECK(after.path == f.file());
  CHECK(before.commits == 0);
  CHECK(after.commits == 2);
  CHECK(after.bytes >= before.bytes + 50'000);
  CHECK(after.last_error.empty());
}

TEST_CASE("what is written at once is committed at once") {
  constexpr std::size_t writes = 5000;
  journal_folder f;
  auto journal = f.open();
  written_log log;

  for (std::size_t i = 0; i < writes; ++i) journal->write({{std::to_string(i), "x"}}, log.entry(""));
  REQUIRE(log.wait_for(writes));

  CHECK(journal->stats().commits < writes / 2);
}

TEST_CASE("stop makes durable what was written, and refuses what comes after it") {
  constexpr std::size_t writes = 2000;
  journal_folder f;
  written_log log;
  auto journal = f.open();
  for (std::size_t i = 0; i < writes; ++i) journal->write({{std::to_string(i), "x"}}, log.entry(""));
  journal->stop();
  CHECK(log.count() == writes);

  journal->write({{"late", "x"}}, log.entry("late"));
  CHECK(log.all().back() == std::pair(std::string("late"), std::optional(error_code::shutting_down)));
  journal->stop();
  journal.reset();

  CHECK(read(*f.open(), "").size() == writes);
}

TEST_CASE("the write-ahead log does not grow without end, and is gone when the journal is closed") {
  journal_folder f;
  auto o = f.options();
  o.log_pages = 50;
  auto journal = f.open(o);

  for (int i = 0; i < 100; ++i) write(*journal, {{"key", std::string(20'000, static_cast<char>('a' + i % 26))}});

  CHECK(fs::file_size(f.file() + "-wal") < 2 * 50 * 4200);
  journal.reset();
  CHECK_FALSE(fs::exists(f.file() + "-wal"));
}

TEST_CASE("the log's file grows less often than the log, as room is made ahead") {
  journal_folder f;
  auto journal = f.open();
  std::set<std::uintmax_t> sizes;

  for (int i = 0; i < 100; ++i) {
    write(*journal, {{std::to_string(i), std::string(2'000, 'x')}});
    sizes.insert(fs::file_size(f.file() + "-wal"));
  }

  CHECK(*sizes.rbegin() > 100 * 4'000);
  CHECK(sizes.size() < 25);
}

TEST_CASE("an idle journal brings its log into the database") {
  journal_folder f;
  auto o = f.options();
  o.idle = 1ms;
  auto journal = f.open(o);
  const auto empty = fs::file_size(f.file());

  write(*journal, {{"key", std::string(2'000'000, 'x')}});

  CHECK(eventually([&] { return fs::file_size(f.file()) > empty + 1'000'000; }));
}

TEST_CASE("a journal of a newer Flock is refused, and left as it is") {
  journal_folder f;
  write(*f.open(), {{"a", "one"}});
  f.run_sql("pragma user_version = 7");
  const auto text = f.file() +
                    " was written by a newer Flock: it has version 7 of the journal, and this one knows "
                    "versions up to 1";

  CHECK(f.refusal().code == error_code::refused);
  CHECK(f.refusal().what == text);
  CHECK(check_sqlite_journal(f.path()).error().what == text);
  f.run_sql("pragma user_version = 1");

  CHECK(read(*f.open(), "") == lines{"a=one"});
}

TEST_CASE("a database that is no journal is refused") {
  journal_folder f;
  fs::create_directory(f.path());
  f.run_sql("create table recipes (name text)");

  CHECK(f.refusal().what == f.file() + " is a database, but no journal of Flock's");
}

TEST_CASE("a schema is brought to its last version step by step, and a step is done or not") {
  journal_folder f;
  sqlite_database db;
  REQUIRE_FALSE(db.open(f.outside() + "/any.db", ""));
  const std::string_view one = "pragma application_id = 1181511531; create table a (x)";
  const std::string_view two = "alter table a rename to b; insert into b values (2)";
  const std::string_view broken = "insert into b values (3); no such statement";
  const std::vector<std::string_view> first{one}, second{one, two}, third{one, two, broken};
  std::string answer;

  CHECK_FALSE(migrate(db, first).has_value());
  CHECK_FALSE(migrate(db, second).has_value());
  CHECK_FALSE(migrate(db, second).has_value());
  auto failed = migrate(db, third);
  REQUIRE(failed.has_value());
  CHECK(failed->what.find("no") != std::string::npos);

  REQUIRE_FALSE(db.ask("select count(*) || ' ' || max(x) from b", answer));
  CHECK(answer == "1 2");
  REQUIRE_FALSE(db.ask("pragma user_version", answer));
  CHECK(answer == "2");
  CHECK(migrate(db, first)->is == fault::kind::newer);
}

TEST_CASE("a check of the state folder changes nothing") {
  journal_folder f;

  CHECK(check_sqlite_journal(f.path()).has_value());
  CHECK_FALSE(fs::exists(f.path()));
  CHECK(check_sqlite_journal("/nonexistent/state").error().what ==
        "cannot make /nonexistent/state: cannot write in /nonexistent: No such file or directory");
  auto journal = f.open();
  CHECK(check_sqlite_journal(f.path()).has_value());
}
