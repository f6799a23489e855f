#pragma once

#include "libflock/seams/storage.hpp"
#include "libflock/sqlite/sqlite_database.hpp"
#include <flock/clock.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace flock::internal {

/// A write that is not durable yet.
struct queued_write {
  std::vector<record_change> changes;
  storage::written durable;
};

/// The file of a journal: its records, made durable in transactions, checked against their checksums, saved from
/// damage. docs/journal.md describes the format. Not safe for threads; whoever has it has its folder to himself.
///
/// A fault other than `full` leaves it unusable until it is opened again.
class journal_file {
 public:
  struct options {
    std::string folder;
    const clock* time = nullptr;
    std::string vfs;
    std::function<void(std::string_view level, const std::string& text)> log;
  };

  explicit journal_file(options o);
  ~journal_file();

  /// Opens the file, makes it if it is missing, and looks through all of it.
  ///
  /// What the disk holds is not what a process reads back after a sync has failed: Linux then takes the pages for
  /// written, so a later sync succeeds without them, and they are lost with the power. The life before may have ended
  /// in such a moment. So the log is first written over itself and synced: from then on what is read is what is there.
  ///
  /// A damaged record is set aside. If pages of the file are malformed, all that can be read goes into a new file, and
  /// the old one is kept as journal.db.damaged-<time>.
  [[nodiscard]] outcome_of_sql open();
  /// The same after a fault, in the midst of a life that relies on the id: it stays.
  [[nodiscard]] outcome_of_sql open_again();
  void close();

  /// Makes writes durable: all or none of them. If it fails it may have been done or not; then it is simply done again,
  /// for a record that is put or removed twice is as one that was once.
  [[nodiscard]] outcome_of_sql apply(std::span<const queued_write> writes);
  [[nodiscard]] outcome_of_sql read(std::string_view prefix, const storage::visitor& each);

  /// Brings the write-ahead log into the database, and lets it be written from its start again.
  [[nodiscard]] outcome_of_sql checkpoint();
  int log_pages() const { return db_.log_pages(); }

  const std::string& id() const { return id_; }
  /// The keys of what was set aside and that nobody was told of before, at the first opening. Whoever writes has been
  /// told. One that is empty: there were records whose keys cannot be read.
  const std::vector<std::string>& damaged() const { return damaged_; }
  std::size_t set_aside() const { return set_aside_; }
  /// What was wrong with the file when it was last opened; empty if nothing was.
  const std::string& damage() const { return damage_; }

  const std::string& path() const { return path_; }
  std::uint64_t bytes() const;

 private:
  struct statements;

  outcome_of_sql open_file();
  outcome_of_sql connect();
  outcome_of_sql look_through();
  outcome_of_sql look_through_records(std::vector<std::string>& bad);
  outcome_of_sql put_aside(const std::vector<std::string>& bad);
  outcome_of_sql make_anew(const fault& why);
  outcome_of_sql read_id();
  outcome_of_sql renew_id();
  outcome_of_sql read_damaged();
  outcome_of_sql count_set_aside();

  outcome_of_sql change(const record_change& c);
  outcome_of_sql apply_all(std::span<const queued_write> writes);
  outcome_of_sql in_transaction(const std::function<outcome_of_sql()>& work);
  void log(std::string_view level, const std::string& text) const;

  options options_;
  std::string path_;
  sqlite_database db_;
  std::unique_ptr<statements> prepared_;
  std::string id_;
  std::vector<std::string> damaged_;
  std::int64_t told_upto_ = 0;  // the number of the last of them
  bool untold_ = false;
  std::size_t set_aside_ = 0;
  std::string damage_;
};

/// Whether open() could do its work, as far as that shows without changing anything: the version of a file that exists,
/// and whether it may be written.
/// Errors: io, refused (it was written by a newer Flock)
result<void> check_journal(const std::string& folder);

}  // namespace flock::internal
