#pragma once

#include "libflock/sqlite/gathering_vfs.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace flock::internal {

/// What kept SQLite from doing something: a kind to act on, and a text that names the file and the reason.
struct fault {
  enum class kind : std::uint8_t {
    full,     ///< no space is left; the database is as it was
    damaged,  ///< the file is no database, or one with malformed pages
    in_use,   ///< by another process
    newer,    ///< it was written by a newer version of Flock
    io,       ///< all else: what the file holds now is not known
  };
  kind is = kind::io;
  std::string what;
};

/// Nothing: it was done.
using outcome_of_sql = std::optional<fault>;

class sqlite_statement;

/// A connection to a database file. Not safe for threads.
class sqlite_database {
 public:
  /// \param path  made if it does not exist
  /// \param vfs   the name of SQLite's way to the files; empty: its own
  [[nodiscard]] outcome_of_sql open(const std::string& path, const std::string& vfs);
  /// Statements must be gone.
  void close();
  /// Without bringing the write-ahead log into the database, as SQLite would: for a file that cannot be trusted.
  void close_untouched();
  bool is_open() const { return handle_ != nullptr; }
  const std::string& path() const { return path_; }

  /// Without results. `sql` may hold several statements.
  [[nodiscard]] outcome_of_sql execute(const std::string& sql);
  /// The first column of the first row; empty if there is no row.
  [[nodiscard]] outcome_of_sql ask(const std::string& sql, std::string& answer);
  [[nodiscard]] outcome_of_sql prepare(std::string_view sql, sqlite_statement& out);

  enum class checkpoint_mode : std::uint8_t {
    passive,   ///< the log's file stays as long as it is and is written from its start again
    truncate,  ///< the log's file is emptied
  };
  /// Brings the write-ahead log into the database.
  [[nodiscard]] outcome_of_sql checkpoint(checkpoint_mode how);
  /// Pages in the write-ahead log that the database does not have.
  int log_pages() const { return *log_pages_; }

  /// Whether a transaction is open.
  bool in_transaction() const;
  /// Whether the file is no longer found under its name.
  bool has_moved() const;
  /// Gives back memory that only makes things faster.
  void trim_memory();

  fault explain(int code) const;

 private:
  struct closer {
    void operator()(sqlite3* handle) const;
  };
  std::string path_;
  std::unique_ptr<int> log_pages_ = std::make_unique<int>(0);  // SQLite keeps its address
  std::unique_ptr<gathering_vfs> files_;
  std::unique_ptr<sqlite3, closer> handle_;
};

/// A prepared statement; each step's texts and blobs live until the next one.
class sqlite_statement {
 public:
  enum class result_of_step : std::uint8_t { row, done, failed };

  /// What is bound must stay where it is until reset().
  sqlite_statement& text(int place, std::string_view value);
  sqlite_statement& blob(int place, std::string_view value);
  sqlite_statement& number(int place, std::int64_t value);

  result_of_step step();
  /// After a step that failed.
  fault why() const;
  void reset();
  /// For a statement without results: one step, and reset.
  [[nodiscard]] outcome_of_sql run();

  std::string_view text(int column) const;
  std::int64_t number(int column) const;

 private:
  friend class sqlite_database;
  struct finalizer {
    void operator()(sqlite3_stmt* s) const;
  };
  const sqlite_database* of_ = nullptr;
  std::unique_ptr<sqlite3_stmt, finalizer> handle_;
  int code_ = 0;
};

/// Writes what a file holds over itself and makes it durable, so that what is read from it is what is on the disk.
/// Does nothing if there is no such file.
[[nodiscard]] outcome_of_sql rewrite_log(const std::string& log, const std::string& vfs);

}  // namespace flock::internal
