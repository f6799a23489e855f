#pragma once

#include <flock/error.hpp>
#include <flock/name.hpp>

#include <cstdint>
#include <string>
#include <string_view>

/// The keys under which a courier and its parts store their records: the table is in courier.hpp.
namespace flock::internal::courier_keys {

/// Where a record is put that cannot be read.
std::string aside_key(std::string_view key);
std::string standing_key(const node_id& to);
std::string position_key(const node_id& from, const std::string& channel);
std::string record_key(const std::string& id);
std::string parcel_key(const node_id& to, std::uint64_t number);
std::string work_key(const node_id& from, const std::string& channel, std::uint64_t number);

/// The node that the rest of a key, behind the first slash, begins with. Errors: bad_argument
result<node_id> node_in(const std::string& rest);
/// The number that it ends with, behind the last slash. Errors: io
result<std::uint64_t> number_in(const std::string& rest);

}  // namespace flock::internal::courier_keys
