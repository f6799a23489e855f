#pragma once

#include "libflock/sqlite/sqlite_database.hpp"

#include <cstdint>
#include <functional>
#include <string_view>

namespace flock::internal {

/// A record as it stands in the file.
struct stored_record {
  std::string_view key;
  std::string_view data;
  std::int64_t checksum;
};

/// What the checksum of an undamaged record is.
std::int64_t checksum_of(std::string_view key, std::string_view data);
inline bool is_sound(const stored_record& r) { return r.checksum == checksum_of(r.key, r.data); }

/// Reads what can be read of a journal's records when some of its pages cannot: from both ends up to where it breaks,
/// then from keys in between, halving the gaps while that finds more. A record may be told twice, and in any order.
///
/// It is a best effort: a lost page at the root of the tree loses all that is below it.
void salvage(sqlite_database& db, const std::function<void(const stored_record&)>& each);

}  // namespace flock::internal
