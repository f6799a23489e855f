#pragma once

#include "libflock/sqlite/sqlite_database.hpp"
#include <flock/clock.hpp>

#include <cstddef>
#include <string>

namespace flock::internal {

/// How a journal whose pages are malformed is made anew.
struct rebuilding {
  std::string path;  ///< of the damaged file
  std::string vfs;
  wall_time at;
  std::string id;   ///< of the new one
  std::string why;  ///< what was found
};

/// What came of it.
struct rebuilt {
  std::string kept_as;        ///< the damaged file's new name
  std::size_t saved = 0;      ///< records
  std::size_t set_aside = 0;  ///< damaged ones
};

/// Puts what can be read of a damaged journal into a new one, which takes its place; the old one is kept beside it,
/// with its write-ahead log, as <path>.damaged-<time>. The new one's table set_aside says that something was lost.
///
/// A crash in between leaves the old one or the new one complete: see finish_rebuilding().
[[nodiscard]] outcome_of_sql rebuild(const rebuilding& what, rebuilt& out);

/// Ends a rebuilding that a crash interrupted. Before the file is opened.
[[nodiscard]] outcome_of_sql finish_rebuilding(const std::string& path, wall_time at);

/// For a journal that lost records whose keys cannot be read. In a transaction.
[[nodiscard]] outcome_of_sql note_lost_records(sqlite_database& in, wall_time at, const std::string& why);

/// In a transaction.
[[nodiscard]] outcome_of_sql store_id(sqlite_database& in, const std::string& id);

}  // namespace flock::internal
