// What a journal does about a file that is not as it was written.

#include "libflock/sqlite/sqlite_journal.hpp"
#include "tests/support/faulty_disk.hpp"
#include "tests/support/journal_folder.hpp"
#include "tests/support/journal_history.hpp"
#include "tests/support/storage_contract.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

using namespace flock::testing;
using flock::storage;

namespace {

namespace fs = std::filesystem;
using lines = std::vector<std::string>;

constexpr std::size_t page_size = 4096;

std::string contents_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void overwrite(const std::string& path, std::size_t at, const std::string& bytes) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(static_cast<std::streamoff>(at));
  file << bytes;
  REQUIRE(file.good());
}

/// A folder with a closed journal of many records.
struct fixture {
  static constexpr std::size_t writes = 2000;
  journal_folder folder;
  std::string id;

  fixture() {
    auto journal = folder.open();
    for (std::size_t i = 0; i < writes; ++i) {
      const auto n = std::to_string(i);
      journal->write({{"n/" + std::string(6 - n.size(), '0') + n, "data of " + n + std::string(100, '.')}},
                     [](const flock::result<void>&) {});
    }
    journal->stop();
    id = journal->id();
  }

  /// Flips a bit of the data of one record.
  void damage_record(const std::string& key) {
    const auto bytes = contents_of(folder.file());
    const auto at = bytes.find(key + "data of");
    REQUIRE(at != std::string::npos);
    overwrite(folder.file(), at + key.size(), std::string(1, static_cast<char>('d' ^ 1)));
  }

  /// Makes nonsense of the pages in the middle of the file, which hold records.
  void damage_pages(std::size_t count) {
    const auto pages = fs::file_size(folder.file()) / page_size;
    REQUIRE(pages > 4 * count);
    for (std::size_t i = 0; i < count; ++i)
      overwrite(folder.file(), (pages / 2 + 3 * i) * page_size, std::string(page_size, '\x55'));
  }

  /// Every record that a journal has is as it was written. \returns how many there are
  std::size_t check_records(storage& s) {
    std::size_t count = 0;
    auto done = s.read("", [&](std::string_view key, std::string_view data) {
      ++count;
      const auto number = std::stoul(std::string(key.substr(2)));
      CHECK(data == "data of " + std::to_string(number) + std::string(100, '.'));
    });
    REQUIRE(done.has_value());
    return count;
  }
};

}  // namespace

TEST_CASE_FIXTURE(fixture, "a damaged record is set aside and told, and its key is free") {
  damage_record("n/000777");
  damage_record("n/000042");
  auto journal = folder.open();

  CHECK(journal->damaged() == lines{"n/000042", "n/000777"});
  CHECK(journal->id() == id);
  CHECK(check_records(*journal) == writes - 2);
  CHECK(read(*journal, "n/000777").empty());
  CHECK(journal->stats().set_aside == 2);
  CHECK(journal->stats().last_error == folder.file() + ": 2 records are damaged and were set aside");
  CHECK_FALSE(journal->trouble().has_value());
  CHECK(folder.log("set aside: n/000042, n/000777").size() == 1);

  write(*journal, {{"n/000777", "new"}});
  CHECK(read(*journal, "n/000777") == lines{"n/000777=new"});
  journal.reset();
  CHECK(folder.ask_sql("select substr(data, 1, 7) from set_aside where key = 'n/000777'") == "eata of");
}

TEST_CASE_FIXTURE(fixture, "damage is told at each opening until something was written after one") {
  damage_record("n/000777");

  CHECK(folder.open()->damaged() == lines{"n/000777"});
  CHECK(folder.open()->damaged() == lines{"n/000777"});
  write(*folder.open(), {{"other", "x"}});

  auto journal = folder.open();
  CHECK(journal->damaged().empty());
  CHECK(journal->stats().set_aside == 1);
  CHECK(folder.log("were set aside").size() == 1);
}

TEST_CASE_FIXTURE(fixture, "malformed pages make a new file with what can be read, and the old one is kept") {
  damage_pages(4);
  const auto damaged_file = contents_of(folder.file());

  auto journal = folder.open();

  CHECK(journal->id() != id);
  CHECK(journal->damaged() == lines{""});
  CHECK(journal->stats().set_aside == 1);
  const auto saved = check_records(*journal);
  CHECK(saved < writes);
  CHECK(saved > writes * 4 / 5);
  const auto kept = folder.files("journal.db.damaged-");
  REQUIRE(kept.size() == 1);
  CHECK(contents_of(kept.front()) == damaged_file);
  CHECK(folder.log("it is kept as " + kept.front()).size() == 1);
  CHECK(folder.log(std::to_string(saved) + " records were saved").size() == 1);
  CHECK(journal->stats().last_error.find(kept.front()) != std::string::npos);

  const auto new_id = journal->id();
  write(*journal, {{"other", "x"}});
  journal.reset();
  journal = folder.open();
  CHECK(journal->id() == new_id);
  CHECK(journal->damaged().empty());
  CHECK(folder.files("journal.db.damaged-").size() == 1);
}

TEST_CASE_FIXTURE(fixture, "a file whose header is destroyed is replaced by a new one and kept") {
  overwrite(folder.file(), 0, std::string(page_size, 'x'));

  auto journal = folder.open();

  CHECK(journal->id() != id);
  CHECK(journal->damaged() == lines{""});
  CHECK(read(*journal, "").empty());
  CHECK(folder.files("journal.db.damaged-").size() == 1);
  write(*journal, {{"a", "one"}});
  CHECK(read(*journal, "") == lines{"a=one"});
}

TEST_CASE_FIXTURE(fixture, "a file that was cut off loses what was behind the cut") {
  fs::resize_file(folder.file(), fs::file_size(folder.file()) / 2 / page_size * page_size);

  auto journal = folder.open();

  CHECK(journal->damaged() == lines{""});
  CHECK(check_records(*journal) > writes / 4);
}

TEST_CASE_FIXTURE(fixture, "a wrong bit anywhere changes no record: it is as it was, or it is gone and that is told") {
  const auto sound = contents_of(folder.file());
  std::mt19937_64 random(1);
  for (int round = 0; round < 40; ++round) {
    fs::remove_all(folder.path());
    fs::create_directory(folder.path());
    const auto bit = random() % (8 * sound.size());
    CAPTURE(bit);
    std::ofstream(folder.file(), std::ios::binary) << sound;
    overwrite(folder.file(), bit / 8, std::string(1, static_cast<char>(sound[bit / 8] ^ (1 << bit % 8))));

    auto opened = flock::internal::open_sqlite_journal(folder.options());

    // The version, and the mark of a journal, are such bits; then it is refused and left as it is.
    if (!opened) {
      CHECK(bit / 8 < 100);
      continue;
    }
    const auto count = check_records(**opened);
    if (count < writes) CHECK_FALSE((*opened)->damaged().empty());
  }
}

TEST_CASE_FIXTURE(fixture, "a loss of power while a damaged file is replaced leaves the old one or the new one") {
  damage_pages(2);
  const auto damaged_file = contents_of(folder.file());
  faulty_disk disk;
  auto options = folder.options();
  options.vfs = disk.vfs();
  std::size_t most = 0;
  for (int after = 1; after < 60; after += 2) {
    fs::remove_all(folder.path());
    fs::create_directory(folder.path());
    CAPTURE(after);
    std::ofstream(folder.file(), std::ios::binary) << damaged_file;
    disk.cut_power(after);
    (void)flock::internal::open_sqlite_journal(options);
    disk.restore_power(static_cast<std::uint64_t>(after));

    auto journal = folder.open(options);

    const auto saved = check_records(*journal);
    most = std::max(most, saved);
    CHECK(saved == most);
    CHECK(journal->damaged() == lines{""});
    CHECK(journal->id() != id);
    CHECK(folder.files("journal.db.damaged-").size() == 1);
    CHECK(folder.files("journal.db.new").empty());
    CHECK(folder.files("journal.db.mended").empty());
  }
}

TEST_CASE_FIXTURE(fixture, "a damaged file that is found after a fault keeps the id that its node lives by") {
  faulty_disk disk;
  auto options = folder.options();
  options.vfs = disk.vfs();
  auto journal = folder.open(options);
  damage_pages(2);
  disk.fail_syncs(0);

  write(*journal, {{"other", "x"}});

  CHECK(journal->id() == id);
  CHECK(folder.log("it is kept as").size() == 1);
  CHECK(journal->stats().set_aside == 1);
  CHECK(journal->damaged().empty());
  journal.reset();
  journal = folder.open(options);
  CHECK(journal->id() == id);
  CHECK(journal->damaged() == lines{""});
  CHECK(read(*journal, "other") == lines{"other=x"});
}
