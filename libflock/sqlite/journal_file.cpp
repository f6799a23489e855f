#include "libflock/sqlite/journal_file.hpp"

#include "libflock/sqlite/journal_rebuild.hpp"
#include "libflock/sqlite/journal_salvage.hpp"
#include "libflock/sqlite/journal_schema.hpp"
#include <flock/name.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <unistd.h>
#include <utility>

namespace flock::internal {

namespace {

using step = sqlite_statement::result_of_step;

std::string file_in(const std::string& folder) { return (std::filesystem::path(folder) / "journal.db").string(); }

std::uint64_t size_of(const std::string& path) {
  std::error_code missing;
  const auto size = std::filesystem::file_size(path, missing);
  return missing ? 0 : size;
}

/// The names of many, for a line in the log: "a, b, c and 12 more".
std::string listed(const std::vector<std::string>& keys) {
  constexpr std::size_t most = 10;
  std::string out;
  for (std::size_t i = 0; i < keys.size() && i < most; ++i) out += (i == 0 ? "" : ", ") + keys[i];
  if (keys.size() > most) out += " and " + std::to_string(keys.size() - most) + " more";
  return out;
}

}  // namespace

struct journal_file::statements {
  sqlite_statement begin, commit, rollback, put, remove, read, told;

  outcome_of_sql prepare(sqlite_database& db) {
    const std::pair<sqlite_statement*, std::string_view> all[] = {
        {&begin, "begin immediate"},
        {&commit, "commit"},
        {&rollback, "rollback"},
        {&put, "replace into records values (?1, ?2, ?3)"},
        {&remove, "delete from records where key = ?1"},
        {&read, "select key, data from records where key >= ?1 order by key"},
        {&told, "update set_aside set told = 1 where number <= ?1"}};
    for (const auto& [statement, sql] : all)
      if (auto f = db.prepare(sql, *statement)) return f;
    return {};
  }
};

journal_file::journal_file(options o) : options_(std::move(o)), path_(file_in(options_.folder)) {}

journal_file::~journal_file() { close(); }

void journal_file::close() {
  prepared_.reset();
  db_.close();
}

void journal_file::log(std::string_view level, const std::string& text) const {
  if (options_.log) options_.log(level, "journal: " + text);
}

// Opening.

outcome_of_sql journal_file::open() {
  const bool is_new = size_of(path_) == 0;
  if (auto f = open_file()) return f;
  if (is_new) log("info", "made " + path_);
  // A full disk may have room again later, and then the log is the shorter for it.
  if (auto f = db_.checkpoint(sqlite_database::checkpoint_mode::truncate); f && f->is != fault::kind::full) return f;
  return read_damaged();
}

outcome_of_sql journal_file::open_again() {
  const auto id = id_;
  if (auto f = open_file()) return f;
  if (id_ != id) {
    // Somebody took it away.
    damage_ = path_ + " is another file than before";
    log("error", damage_ + ": what it held is lost if this process ends");
    auto f = in_transaction([&]() -> outcome_of_sql {
      if (auto g = store_id(db_, id)) return g;
      return note_lost_records(db_, options_.time->wall(), damage_);
    });
    if (f) return f;
    id_ = id;
    if (auto g = count_set_aside()) return g;
  }
  return db_.checkpoint(sqlite_database::checkpoint_mode::truncate);
}

outcome_of_sql journal_file::open_file() {
  prepared_.reset();
  db_.close_untouched();
  damage_.clear();
  if (auto f = finish_rebuilding(path_, options_.time->wall())) return f;
  if (size_of(path_) > 0)
    if (auto f = rewrite_log(path_ + "-wal", options_.vfs)) return f;
  auto f = connect();
  if (!f || f->is != fault::kind::damaged) return f;
  prepared_.reset();
  db_.close_untouched();
  if (auto g = make_anew(*f)) return g;
  return connect();
}

outcome_of_sql journal_file::connect() {
  if (auto f = open_journal(db_, path_, options_.vfs)) return f;
  prepared_ = std::make_unique<statements>();
  if (auto f = prepared_->prepare(db_)) return f;
  if (auto f = look_through()) return f;
  if (auto f = read_id()) return f;
  if (auto f = count_set_aside()) return f;
  db_.trim_memory();  // of a journal that was read once from end to end
  return {};
}

outcome_of_sql journal_file::look_through() {
  std::string verdict;
  if (auto f = db_.ask("pragma quick_check(1)", verdict)) return f;
  if (verdict != "ok") return fault{fault::kind::damaged, path_ + ": " + verdict};
  std::vector<std::string> bad;
  if (auto f = look_through_records(bad)) return f;
  if (bad.empty()) return {};
  if (auto f = in_transaction([&] { return put_aside(bad); })) return f;
  damage_ = path_ + ": " + std::to_string(bad.size()) + " records are damaged and were set aside";
  log("error", damage_ + ": " + listed(bad));
  return {};
}

outcome_of_sql journal_file::look_through_records(std::vector<std::string>& bad) {
  sqlite_statement all;
  if (auto f = db_.prepare("select key, data, checksum from records order by key", all)) return f;
  std::string last;
  bool first = true;
  auto stepped = all.step();
  for (; stepped == step::row; stepped = all.step()) {
    const stored_record r{all.text(0), all.text(1), all.number(2)};
    // quick_check does not look at it, and a search would go astray.
    if (!std::exchange(first, false) && r.key <= last)
      return fault{fault::kind::damaged, path_ + ": records are out of order"};
    last = r.key;
    if (!is_sound(r)) bad.push_back(last);
  }
  if (stepped == step::failed) return all.why();
  return {};
}

outcome_of_sql journal_file::put_aside(const std::vector<std::string>& bad) {
  sqlite_statement copy;
  const auto* sql =
      "insert into set_aside (key, data, checksum, at) select key, data, checksum, ?2 from records where key = ?1";
  if (auto f = db_.prepare(sql, copy)) return f;
  const auto at = format_time(options_.time->wall());
  for (const auto& key : bad) {
    copy.text(1, key).text(2, at);
    if (auto f = copy.run()) return f;
    prepared_->remove.text(1, key);
    if (auto f = prepared_->remove.run()) return f;
  }
  return {};
}

outcome_of_sql journal_file::make_anew(const fault& why) {
  const auto id = id_.empty() ? incarnation::random().str() : id_;
  rebuilt done;
  if (auto f = rebuild({path_, options_.vfs, options_.time->wall(), id, why.what}, done)) {
    f->what = "cannot mend what is damaged (" + why.what + "): " + f->what;
    return f;
  }
  damage_ = why.what + "; it is kept as " + done.kept_as;
  log("error", damage_ + ". " + std::to_string(done.saved) + " records were saved, " + std::to_string(done.set_aside) +
                   " damaged ones set aside");
  return {};
}

outcome_of_sql journal_file::read_id() {
  std::string id;
  if (auto f = db_.ask("select value from about where name = 'id'", id)) return f;
  if (!id.empty()) {
    id_ = id;
    return {};
  }
  return renew_id();
}

outcome_of_sql journal_file::renew_id() {
  const auto id = incarnation::random().str();
  if (auto f = in_transaction([&] { return store_id(db_, id); })) return f;
  id_ = id;
  return {};
}

outcome_of_sql journal_file::read_damaged() {
  sqlite_statement s;
  const auto* sql =
      "select key, max(number), key in (select key from records) from set_aside where told = 0"
      " group by key order by key";
  if (auto f = db_.prepare(sql, s)) return f;
  auto stepped = s.step();
  for (; stepped == step::row; stepped = s.step()) {
    // It was found while a node ran that knew better and wrote it again.
    const bool is_back = s.number(2) != 0;
    if (!is_back) damaged_.emplace_back(s.text(0));
    told_upto_ = std::max(told_upto_, s.number(1));
  }
  untold_ = told_upto_ > 0;
  if (stepped == step::failed) return s.why();
  return {};
}

outcome_of_sql journal_file::count_set_aside() {
  std::string count;
  if (auto f = db_.ask("select count(*) from set_aside", count)) return f;
  set_aside_ = std::stoul(count);
  return {};
}

// Records.

outcome_of_sql journal_file::apply(std::span<const queued_write> writes) {
  if (db_.has_moved()) return fault{fault::kind::io, path_ + " was moved or removed while it was in use"};
  if (auto f = in_transaction([&] { return apply_all(writes); })) return f;
  untold_ = false;
  return {};
}

outcome_of_sql journal_file::apply_all(std::span<const queued_write> writes) {
  for (const auto& w : writes)
    for (const auto& c : w.changes)
      if (auto f = change(c)) return f;
  if (!untold_) return {};
  prepared_->told.number(1, told_upto_);
  return prepared_->told.run();
}

outcome_of_sql journal_file::change(const record_change& c) {
  if (!c.data) {
    prepared_->remove.text(1, c.key);
    return prepared_->remove.run();
  }
  prepared_->put.text(1, c.key).blob(2, *c.data).number(3, checksum_of(c.key, *c.data));
  return prepared_->put.run();
}

outcome_of_sql journal_file::in_transaction(const std::function<outcome_of_sql()>& work) {
  auto failed = prepared_->begin.run();
  if (!failed) failed = work();
  if (!failed) failed = prepared_->commit.run();
  if (failed && db_.in_transaction()) (void)prepared_->rollback.run();
  return failed;
}

outcome_of_sql journal_file::read(std::string_view prefix, const storage::visitor& each) {
  auto& s = prepared_->read;
  s.text(1, prefix);
  auto stepped = s.step();
  for (; stepped == step::row && s.text(0).starts_with(prefix); stepped = s.step()) each(s.text(0), s.text(1));
  outcome_of_sql out;
  if (stepped == step::failed) out = s.why();
  s.reset();
  return out;
}

outcome_of_sql journal_file::checkpoint() { return db_.checkpoint(sqlite_database::checkpoint_mode::passive); }

std::uint64_t journal_file::bytes() const { return size_of(path_) + size_of(path_ + "-wal"); }

result<void> check_journal(const std::string& folder) {
  const auto path = file_in(folder);
  if (!std::filesystem::exists(path)) return {};
  if (::access(path.c_str(), R_OK | W_OK) != 0)
    return error{error_code::io, "cannot write " + path + ": " + std::string(std::strerror(errno))};
  const auto version = version_in_header(path);
  const auto known = journal_schema().size();
  if (version && *version > known) return error{error_code::refused, too_new(path, *version, known).what};
  return {};
}

}  // namespace flock::internal
