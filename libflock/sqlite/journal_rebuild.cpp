#include "libflock/sqlite/journal_rebuild.hpp"

#include "libflock/sqlite/journal_salvage.hpp"
#include "libflock/sqlite/journal_schema.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <unistd.h>

namespace flock::internal {

namespace {

namespace fs = std::filesystem;

// While it is being filled, and when it is complete and only has to take its place.
std::string unfinished(const std::string& path) { return path + ".new"; }
std::string finished(const std::string& path) { return path + ".mended"; }
std::string log_of(const std::string& path) { return path + "-wal"; }

void remove_database(const std::string& path) {
  std::error_code ignored;
  for (const auto* end : {"", "-wal", "-shm", "-journal"}) fs::remove(path + end, ignored);
}

outcome_of_sql rename(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) == 0) return {};
  return fault{fault::kind::io, "cannot rename " + from + " to " + to + ": " + std::strerror(errno)};
}

outcome_of_sql sync_folder_of(const std::string& path) {
  const auto folder = fs::path(path).parent_path().string();
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = fd >= 0 && ::fsync(fd) == 0;
  const int number = errno;
  if (fd >= 0) ::close(fd);
  if (synced) return {};
  return fault{fault::kind::io, "cannot sync " + folder + ": " + std::strerror(number)};
}

/// A name that sorts by time and needs no quotes in a shell: journal.db.damaged-20260131T235959
std::string name_for_people(const std::string& path, wall_time at) {
  auto time = format_time(at).substr(0, 19);
  std::erase_if(time, [](char c) { return c == '-' || c == ':'; });
  const auto name = path + ".damaged-" + time;
  auto free = name;
  for (int again = 2; fs::exists(free); ++again) free = name + "-" + std::to_string(again);
  return free;
}

/// The complete new file takes the place of the damaged one. Can be repeated after a crash at any point.
outcome_of_sql replace(const std::string& path, const std::string& kept_as) {
  std::error_code missing;
  if (fs::file_size(log_of(path), missing) == 0 && !missing) fs::remove(log_of(path), missing);
  if (fs::exists(log_of(path)))
    if (auto f = rename(log_of(path), log_of(kept_as))) return f;
  if (fs::exists(path))
    if (auto f = rename(path, kept_as)) return f;
  if (auto f = rename(finished(path), path)) return f;
  return sync_folder_of(path);
}

/// Copies what can be read.
class copier {
 public:
  copier(sqlite_database& from, sqlite_database& to, const rebuilding& what, rebuilt& out)
      : from_(from), to_(to), what_(what), out_(out), at_(format_time(what.at)) {}

  outcome_of_sql copy() {
    if (auto f = to_.prepare("insert or ignore into records values (?1, ?2, ?3)", record_)) return f;
    if (auto f = to_.prepare("insert into set_aside (key, data, checksum, at) values (?1, ?2, ?3, ?4)", aside_))
      return f;
    salvage(from_, [this](const stored_record& r) {
      if (!failed_) put(r);
    });
    if (!failed_) copy_set_aside();
    if (failed_) return failed_;
    std::string count;
    if (auto f = to_.ask("select count(*) from records", count)) return f;
    out_.saved = std::stoul(count);
    return {};
  }

 private:
  void put(const stored_record& r) {
    if (is_sound(r)) {
      record_.text(1, r.key).blob(2, r.data).number(3, r.checksum);
      failed_ = record_.run();
    } else {
      ++out_.set_aside;
      aside_.text(1, r.key).blob(2, r.data).number(3, r.checksum).text(4, at_);
      failed_ = aside_.run();
    }
  }

  /// What was set aside before, as far as it can be read.
  void copy_set_aside() {
    sqlite_statement before;
    if (from_.prepare("select key, data, checksum, at from set_aside", before)) return;
    while (!failed_ && before.step() == sqlite_statement::result_of_step::row) {
      aside_.text(1, before.text(0)).blob(2, before.text(1)).number(3, before.number(2)).text(4, before.text(3));
      failed_ = aside_.run();
    }
  }

  sqlite_database& from_;
  sqlite_database& to_;
  const rebuilding& what_;
  rebuilt& out_;
  std::string at_;
  sqlite_statement record_, aside_;
  outcome_of_sql failed_;
};

outcome_of_sql fill(sqlite_database& to, const rebuilding& what, rebuilt& out) {
  sqlite_database from;
  if (from.open(what.path, what.vfs)) return {};
  // Nothing may be changed in it; and with a writable schema SQLite reads a file that was cut off as far as it goes.
  if (from.execute("pragma locking_mode = exclusive; pragma query_only = on; pragma cell_size_check = on;"
                   "pragma writable_schema = on"))
    return {};
  auto f = copier(from, to, what, out).copy();
  from.close_untouched();
  return f;
}

outcome_of_sql make_new(const rebuilding& what, rebuilt& out) {
  sqlite_database to;
  if (auto f = open_journal(to, unfinished(what.path), what.vfs)) return f;
  if (auto f = to.execute("begin immediate")) return f;
  if (auto f = fill(to, what, out)) return f;
  if (auto f = note_lost_records(to, what.at, what.why)) return f;
  if (auto f = store_id(to, what.id)) return f;
  if (auto f = to.execute("commit")) return f;
  // Its log will not be renamed with it.
  return to.checkpoint(sqlite_database::checkpoint_mode::truncate);
}

}  // namespace

outcome_of_sql rebuild(const rebuilding& what, rebuilt& out) {
  remove_database(unfinished(what.path));
  if (auto f = make_new(what, out)) return f;
  if (auto f = rename(unfinished(what.path), finished(what.path))) return f;
  if (auto f = sync_folder_of(what.path)) return f;
  out.kept_as = name_for_people(what.path, what.at);
  return replace(what.path, out.kept_as);
}

outcome_of_sql finish_rebuilding(const std::string& path, wall_time at) {
  remove_database(unfinished(path));
  if (!fs::exists(finished(path))) return {};
  return replace(path, name_for_people(path, at));
}

outcome_of_sql note_lost_records(sqlite_database& in, wall_time at, const std::string& why) {
  sqlite_statement s;
  if (auto f = in.prepare("insert into set_aside (key, data, at) values ('', ?1, ?2)", s)) return f;
  const auto time = format_time(at);
  s.text(1, why).text(2, time);
  return s.run();
}

outcome_of_sql store_id(sqlite_database& in, const std::string& id) {
  sqlite_statement s;
  if (auto f = in.prepare("insert or replace into about values ('id', ?1)", s)) return f;
  s.text(1, id);
  return s.run();
}

}  // namespace flock::internal
