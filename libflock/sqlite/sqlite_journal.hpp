#pragma once

#include "libflock/seams/runtime.hpp"
#include "libflock/seams/storage.hpp"
#include <flock/clock.hpp>
#include <flock/error.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace flock::internal {

struct sqlite_journal_options {
  std::string folder;  ///< the journal is its file journal.db; made, open to its user alone, if it is missing
  const clock* time = &system_clock();
  runtime* threads = nullptr;  ///< whose turns its thread takes, see below; it goes after the journal has been stopped
  std::function<void(std::string_view level, const std::string& text)> log;

  milliseconds first_pause{100};  ///< before what a disk refused is tried again; doubles
  milliseconds last_pause{2000};
  milliseconds stop_within{2000};      ///< how long stop() goes on trying
  milliseconds idle{1000};             ///< after so long without a write the log is brought into the database
  int log_pages = 4096;                ///< and after so many pages; 16 MiB
  std::size_t commit_bytes = 8 << 20;  ///< of records in one transaction, which has at least one write
  std::string vfs;                     ///< SQLite's way to the files, for tests; empty: its own
};

/// A storage on SQLite: a write-ahead log that is synced with each commit. One thread takes whatever waits, commits it
/// as one transaction, and calls those who wait, in order; so the more is written at once, the less a write costs. If
/// nothing else waits to be written, it takes the turn of the mailbox that gets work by that, which spares waking
/// another thread.
///
/// Keys are not empty. read() may be called from any thread, also between writes; it waits for a commit that is under
/// way. After stop() writes are answered before write() returns. A sync that hangs is waited for, also by stop():
/// nothing can end it.
///
/// A full disk: what waits is tried again, until there is room. Any other fault: the file is opened anew and looked
/// through before it is tried again; see journal_file.
///
/// Errors of open: io (naming the path and the reason), conflict (the folder or the file is used by another process),
/// refused (the file was written by a newer Flock)
result<std::unique_ptr<storage>> open_sqlite_journal(sqlite_journal_options o);

/// Whether open_sqlite_journal() could do its work, as far as that shows without changing anything.
/// Errors: io, refused
result<void> check_sqlite_journal(const std::string& folder);

/// Of the library that runs.
std::string sqlite_version();

}  // namespace flock::internal
