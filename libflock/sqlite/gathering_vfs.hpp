#pragma once

#include <memory>
#include <string>

namespace flock::internal {

/// A way of SQLite's to its files that gathers what is written to the write-ahead log and hands it on at the sync, in
/// as few writes as can be. SQLite writes each page of a commit and each page's header by itself, which costs more than
/// the pages do. Other files are passed through.
///
/// A log that grows is given room ahead: zeros, which SQLite takes for the end. To sync a file that is longer than at
/// the last sync costs the file system a write of its own records besides, and so twice the time on ext4; blocks that
/// are only reserved (fallocate) save nothing of it. There is as much room as there is log, at most 128 KiB, so that
/// the log of a quiet node stays short.
///
/// A write that fails is told by the sync, or by whatever else needs the log to be written; what was gathered is then
/// dropped, as SQLite takes it for not written. It goes after the databases that were opened with it.
class gathering_vfs {
 public:
  /// \param base  the name of the way that is written to; empty: SQLite's own
  explicit gathering_vfs(const std::string& base);
  ~gathering_vfs();
  gathering_vfs(const gathering_vfs&) = delete;
  gathering_vfs& operator=(const gathering_vfs&) = delete;

  /// For sqlite3_open_v2(); null if there is no such base.
  const char* name() const;

  struct inside;

 private:
  std::unique_ptr<inside> in_;
};

}  // namespace flock::internal
