#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace flock::internal {

// The parts that binary forms are made of.

/// Seven bits a byte, the lowest first; the eighth bit says that more follow.
void put_varint(std::uint64_t number, std::string& out);
/// A varint length and the bytes.
void put_bytes(std::string_view bytes, std::string& out);

/// Each removes what it reads from the front of `in`; nothing if it is cut short or does not fit 64 bits.
std::optional<std::uint64_t> take_varint(std::string_view& in);
/// \returns a part of `in`: nothing is copied
std::optional<std::string_view> take_bytes(std::string_view& in);

}  // namespace flock::internal
