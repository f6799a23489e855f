#include "libflock/sqlite/journal_schema.hpp"

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <unistd.h>

namespace flock::internal {

namespace {

// "Flok": what tells a journal from any other SQLite database, in its header, so that file(1) shows it, too.
constexpr std::string_view application_id = "1181511531";

// Keys are texts for people's sake; SQLite compares them byte by byte, as the seam wants. Without a rowid a table is
// one tree, so a change touches one page and not two.
constexpr std::array<std::string_view, 1> steps{// 1
                                                R"(
    pragma application_id = 1181511531;
    create table about (name text primary key, value text not null) without rowid;
    create table records (key text primary key, data blob not null, checksum integer not null) without rowid;
    create table set_aside (
      number integer primary key,
      key text not null,            -- empty: records whose keys cannot be read
      data blob, checksum integer,  -- as they were found
      at text not null,
      told integer not null default 0
    );
    )"};

std::size_t number_in(const std::string& text) {
  std::size_t out = 0;
  std::from_chars(text.data(), text.data() + text.size(), out);
  return out;
}

outcome_of_sql check_kind(sqlite_database& db, std::size_t version) {
  std::string kind, tables;
  if (auto f = db.ask("pragma application_id", kind)) return f;
  if (auto f = db.ask("select count(*) from sqlite_schema", tables)) return f;
  const bool is_ours = version > 0 ? kind == application_id : tables == "0";
  if (is_ours) return {};
  return fault{fault::kind::io, db.path() + " is a database, but no journal of Flock's"};
}

outcome_of_sql run_step(sqlite_database& db, std::string_view step, std::size_t version) {
  auto sql = "begin immediate;" + std::string(step) + "; pragma user_version = " + std::to_string(version) + "; commit";
  auto failed = db.execute(sql);
  if (failed && db.in_transaction()) (void)db.execute("rollback");
  return failed;
}

// Each one with its reason:
constexpr auto settings = {
    // One process has it, so there is nothing to share: no file for shared memory, no locks taken anew each time.
    "pragma locking_mode = exclusive",
    // Every commit is synced; the log alone would be enough against a crash of the process.
    "pragma synchronous = full",
    // What a burst or a full disk made the log grow to is given back.
    "pragma journal_size_limit = 33554432",
    "pragma temp_store = memory",
    // Overwriting what is removed would write more pages than it changes; its folder keeps others out.
    "pragma secure_delete = off",
    // Malformed pages are to be noticed when they are read, not when they have led somewhere else.
    "pragma cell_size_check = on",
    // In KiB: the tree's upper pages and those of the records that come and go.
    "pragma cache_size = -4096",
};

outcome_of_sql write_ahead(sqlite_database& db) {
  std::string mode;
  if (auto f = db.ask("pragma journal_mode = wal", mode)) return f;
  if (mode == "wal") return {};
  return fault{fault::kind::io, db.path() + ": SQLite cannot keep a write-ahead log here, only mode " + mode};
}

/// To an empty file this writes a first page that is empty but for its header. It need not be on the disk before
/// anything else is: the first checkpoint, while the journal is opened, syncs it. SQLite would sync it and its own
/// journal four times, and a machine's first start waits for each.
outcome_of_sql begin_empty(sqlite_database& db) {
  if (auto f = db.execute("pragma locking_mode = exclusive; pragma synchronous = off")) return f;
  return write_ahead(db);
}

outcome_of_sql set_up(sqlite_database& db, bool is_new) {
  if (is_new)
    if (auto f = begin_empty(db)) return f;
  for (const auto* setting : settings)
    if (auto f = db.execute(setting)) return f;
  return write_ahead(db);
}

/// SQLite would let everybody read it; its other files get what this one has.
void make_private(const std::string& path) {
  const int fd = ::open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
  if (fd >= 0) ::close(fd);
}

/// Whether the file is empty, or what begin_empty() leaves when the power goes: a page of zeros. One that cannot be
/// read has something.
bool has_nothing(const std::string& path) {
  constexpr std::uintmax_t page = 4096;
  std::error_code failed;
  const auto size = std::filesystem::file_size(path, failed);
  if (failed || size > page) return false;
  std::string bytes(size, '\0');
  std::ifstream in(path, std::ios::binary);
  return in.read(bytes.data(), static_cast<std::streamsize>(size)) &&
         bytes.find_first_not_of('\0') == std::string::npos;
}

}  // namespace

outcome_of_sql open_journal(sqlite_database& db, const std::string& path, const std::string& vfs) {
  make_private(path);
  const bool is_new = has_nothing(path);
  std::error_code failed;
  if (is_new) std::filesystem::resize_file(path, 0, failed);
  if (failed) return fault{fault::kind::io, path + ": " + failed.message()};
  if (auto f = db.open(path, vfs)) return f;
  if (auto f = set_up(db, is_new)) return f;
  return migrate(db, journal_schema());
}

fault too_new(const std::string& path, std::size_t version, std::size_t known) {
  return {fault::kind::newer, path + " was written by a newer Flock: it has version " + std::to_string(version) +
                                  " of the journal, and this one knows versions up to " + std::to_string(known)};
}

std::optional<std::uint32_t> version_in_header(const std::string& path) {
  // Big endian, at offset 60: https://sqlite.org/fileformat2.html#user_version_number
  std::array<char, 64> header{};
  std::ifstream in(path, std::ios::binary);
  if (!in.read(header.data(), header.size()) || !std::string_view(header.data(), 16).starts_with("SQLite format 3"))
    return {};
  std::uint32_t version = 0;
  for (std::size_t i = 60; i < 64; ++i) version = (version << 8) | static_cast<unsigned char>(header[i]);
  return version;
}

std::span<const std::string_view> journal_schema() { return steps; }

outcome_of_sql migrate(sqlite_database& db, std::span<const std::string_view> schema) {
  std::string text;
  if (auto f = db.ask("pragma user_version", text)) return f;
  const auto version = number_in(text);
  if (auto f = check_kind(db, version)) return f;
  if (version > schema.size()) return too_new(db.path(), version, schema.size());
  for (auto next = version; next < schema.size(); ++next)
    if (auto f = run_step(db, schema[next], next + 1)) return f;
  return {};
}

}  // namespace flock::internal
