#pragma once

#include "libflock/sqlite/sqlite_database.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace flock::internal {

/// The steps of a journal's schema: the first makes version 1 from an empty database, each further one the next
/// version. A step that was released is never changed; what is to be different becomes one more step. docs/journal.md
/// describes the tables.
std::span<const std::string_view> journal_schema();

/// Brings a database to the last version of a schema, each step in a transaction of its own. An empty database has
/// version 0.
/// Faults: newer (than this schema), io (also: it is not empty, and no journal), full, damaged
[[nodiscard]] outcome_of_sql migrate(sqlite_database& db, std::span<const std::string_view> schema);

/// Opens a journal's database as a journal needs it, makes it if it is missing, and brings it to the last version.
/// Faults: all; `damaged` if so much can be seen
[[nodiscard]] outcome_of_sql open_journal(sqlite_database& db, const std::string& path, const std::string& vfs);

fault too_new(const std::string& path, std::size_t version, std::size_t known);

/// The version in the header of a journal's file, without opening it as a database; nothing if there is none.
std::optional<std::uint32_t> version_in_header(const std::string& path);

}  // namespace flock::internal
