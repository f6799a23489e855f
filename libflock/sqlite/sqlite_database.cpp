#include "libflock/sqlite/sqlite_database.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <vector>

namespace flock::internal {

namespace {

/// What SQLite was doing when the disk failed it: its own texts say only "disk I/O error".
const char* operation(int code) {
  switch (code) {
    case SQLITE_IOERR_READ:
    case SQLITE_IOERR_SHORT_READ:
      return "reading";
    case SQLITE_IOERR_WRITE:
      return "writing";
    case SQLITE_IOERR_FSYNC:
    case SQLITE_IOERR_DIR_FSYNC:
      return "syncing";
    case SQLITE_IOERR_TRUNCATE:
      return "truncating";
    case SQLITE_IOERR_DELETE:
      return "removing";
    case SQLITE_IOERR_LOCK:
    case SQLITE_IOERR_UNLOCK:
    case SQLITE_IOERR_RDLOCK:
      return "locking";
    default:
      return nullptr;
  }
}

fault::kind kind_of(int code) {
  switch (code & 0xff) {
    case SQLITE_FULL:
      return fault::kind::full;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return fault::kind::damaged;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return fault::kind::in_use;
    default:
      return fault::kind::io;
  }
}

fault explain_code(const std::string& path, int code, int system_error) {
  const auto kind = kind_of(code);
  if (kind == fault::kind::full) return {kind, "the disk is full: " + path};
  if (kind == fault::kind::in_use) return {kind, path + " is used by another process"};
  auto text = path + ": " + sqlite3_errstr(code);
  if (const auto* doing = operation(code)) text += std::string(", ") + doing;
  if (system_error != 0 && kind == fault::kind::io) text += std::string(": ") + std::strerror(system_error);
  return {kind, std::move(text)};
}

int count_log_pages(void* into, sqlite3*, const char*, int pages) {
  *static_cast<int*>(into) = pages;
  return SQLITE_OK;
}

/// A file as SQLite's VFS opens it.
class vfs_file {
 public:
  vfs_file(sqlite3_vfs& vfs, const std::string& path, int flags)
      : room_(static_cast<std::size_t>(vfs.szOsFile)), code_(vfs.xOpen(&vfs, path.c_str(), &file(), flags, nullptr)) {}
  vfs_file(const vfs_file&) = delete;
  vfs_file& operator=(const vfs_file&) = delete;
  ~vfs_file() {
    if (file().pMethods != nullptr) file().pMethods->xClose(&file());
  }

  int code() const { return code_; }

  /// Reads all of it and writes it back.
  int rewrite() {
    sqlite3_int64 size = 0;
    if (int rc = file().pMethods->xFileSize(&file(), &size); rc != SQLITE_OK) return rc;
    std::vector<char> some(std::size_t{1} << 16);  // SQLite's unix VFS takes less than 128 KiB in one write
    for (sqlite3_int64 at = 0; at < size; at += static_cast<sqlite3_int64>(some.size())) {
      const auto part = static_cast<int>(std::min(size - at, static_cast<sqlite3_int64>(some.size())));
      if (int rc = file().pMethods->xRead(&file(), some.data(), part, at); rc != SQLITE_OK) return rc;
      if (int rc = file().pMethods->xWrite(&file(), some.data(), part, at); rc != SQLITE_OK) return rc;
    }
    return file().pMethods->xSync(&file(), SQLITE_SYNC_NORMAL);
  }

 private:
  sqlite3_file& file() { return *reinterpret_cast<sqlite3_file*>(room_.data()); }

  std::vector<std::max_align_t> room_;  // more than szOsFile bytes, aligned for any file
  int code_;
};

}  // namespace

// The database.

void sqlite_database::closer::operator()(sqlite3* handle) const { sqlite3_close(handle); }

outcome_of_sql sqlite_database::open(const std::string& path, const std::string& vfs) {
  close();
  path_ = path;
  files_ = std::make_unique<gathering_vfs>(vfs);
  if (files_->name() == nullptr) return fault{fault::kind::io, path + ": SQLite has no VFS " + vfs};
  sqlite3* handle = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  const int code = sqlite3_open_v2(path.c_str(), &handle, flags, files_->name());
  handle_.reset(handle);
  if (code != SQLITE_OK) {
    auto why = explain(handle ? sqlite3_extended_errcode(handle) : code);
    handle_.reset();
    return why;
  }
  sqlite3_extended_result_codes(handle, 1);
  *log_pages_ = 0;
  // Takes the place of SQLite's own checkpoints, which are such a hook; so "pragma wal_autocheckpoint" would undo it.
  sqlite3_wal_hook(handle, count_log_pages, log_pages_.get());
  return {};
}

void sqlite_database::close() { handle_.reset(); }

void sqlite_database::close_untouched() {
  if (handle_) sqlite3_db_config(handle_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  handle_.reset();
}

outcome_of_sql sqlite_database::execute(const std::string& sql) {
  const int code = sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return explain(code);
  return {};
}

outcome_of_sql sqlite_database::ask(const std::string& sql, std::string& answer) {
  answer.clear();
  sqlite_statement s;
  if (auto f = prepare(sql, s)) return f;
  const auto stepped = s.step();
  if (stepped == sqlite_statement::result_of_step::failed) return s.why();
  if (stepped == sqlite_statement::result_of_step::row) answer = s.text(0);
  return {};
}

outcome_of_sql sqlite_database::prepare(std::string_view sql, sqlite_statement& out) {
  sqlite3_stmt* handle = nullptr;
  const int code = sqlite3_prepare_v3(handle_.get(), sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &handle, nullptr);
  if (code != SQLITE_OK) return explain(code);
  out.of_ = this;
  out.handle_.reset(handle);
  return {};
}

outcome_of_sql sqlite_database::checkpoint(checkpoint_mode how) {
  const int mode = how == checkpoint_mode::passive ? SQLITE_CHECKPOINT_PASSIVE : SQLITE_CHECKPOINT_TRUNCATE;
  int in_log = 0;
  int brought_over = 0;
  const int code = sqlite3_wal_checkpoint_v2(handle_.get(), "main", mode, &in_log, &brought_over);
  if (code != SQLITE_OK) return explain(code);
  *log_pages_ = in_log - brought_over;
  return {};
}

bool sqlite_database::in_transaction() const { return sqlite3_get_autocommit(handle_.get()) == 0; }

bool sqlite_database::has_moved() const {
  int moved = 0;
  return sqlite3_file_control(handle_.get(), "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK && moved != 0;
}

void sqlite_database::trim_memory() { sqlite3_db_release_memory(handle_.get()); }

fault sqlite_database::explain(int code) const {
  auto out = explain_code(path_, code, handle_ ? sqlite3_system_errno(handle_.get()) : 0);
  // An error in SQL is ours, and has a text of its own.
  if ((code & 0xff) == SQLITE_ERROR && handle_) out.what += std::string(": ") + sqlite3_errmsg(handle_.get());
  return out;
}

// Statements.

void sqlite_statement::finalizer::operator()(sqlite3_stmt* s) const { sqlite3_finalize(s); }

// SQLITE_STATIC, without the header's cast.
constexpr sqlite3_destructor_type stays = nullptr;

sqlite_statement& sqlite_statement::text(int place, std::string_view value) {
  sqlite3_bind_text64(handle_.get(), place, value.data() ? value.data() : "", value.size(), stays, SQLITE_UTF8);
  return *this;
}

sqlite_statement& sqlite_statement::blob(int place, std::string_view value) {
  sqlite3_bind_blob64(handle_.get(), place, value.data() ? value.data() : "", value.size(), stays);
  return *this;
}

sqlite_statement& sqlite_statement::number(int place, std::int64_t value) {
  sqlite3_bind_int64(handle_.get(), place, value);
  return *this;
}

sqlite_statement::result_of_step sqlite_statement::step() {
  code_ = sqlite3_step(handle_.get());
  if (code_ == SQLITE_ROW) return result_of_step::row;
  return code_ == SQLITE_DONE ? result_of_step::done : result_of_step::failed;
}

fault sqlite_statement::why() const { return of_->explain(code_); }

void sqlite_statement::reset() { sqlite3_reset(handle_.get()); }

outcome_of_sql sqlite_statement::run() {
  outcome_of_sql out;
  if (step() == result_of_step::failed) out = why();
  reset();
  return out;
}

std::string_view sqlite_statement::text(int column) const {
  // A blob's bytes are its text's bytes.
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(handle_.get(), column));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(handle_.get(), column));
  return bytes ? std::string_view(bytes, size) : std::string_view();
}

std::int64_t sqlite_statement::number(int column) const { return sqlite3_column_int64(handle_.get(), column); }

// The log.

outcome_of_sql rewrite_log(const std::string& log, const std::string& vfs) {
  sqlite3_initialize();
  auto* way = sqlite3_vfs_find(vfs.empty() ? nullptr : vfs.c_str());
  if (way == nullptr) return fault{fault::kind::io, log + ": SQLite has no VFS " + vfs};
  int exists = 0;
  if (int rc = way->xAccess(way, log.c_str(), SQLITE_ACCESS_EXISTS, &exists); rc != SQLITE_OK)
    return explain_code(log, rc, 0);
  if (exists == 0) return {};
  vfs_file file(*way, log, SQLITE_OPEN_READWRITE | SQLITE_OPEN_WAL);
  const int rc = file.code() == SQLITE_OK ? file.rewrite() : file.code();
  if (rc != SQLITE_OK) return explain_code(log, rc, 0);
  return {};
}

}  // namespace flock::internal
