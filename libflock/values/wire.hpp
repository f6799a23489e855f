#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace flock::internal {

// The parts that binary forms are made of.

/// Seven bits a byte, the lowest first; the eighth bit says that more follow.
void put_varint(std::uint64_t number, std::string& out);
/// Small numbers of either sign are short in a varint: 0, -1, 1, -2 ... become 0, 1, 2, 3 ...
constexpr std::uint64_t zigzag(std::int64_t n) {
  return static_cast<std::uint64_t>(n) << 1U ^ static_cast<std::uint64_t>(n >> 63);
}
constexpr std::int64_t unzigzag(std::uint64_t n) { return static_cast<std::int64_t>(n >> 1U ^ (0 - (n & 1U))); }

/// A varint length and the bytes.
void put_bytes(std::string_view bytes, std::string& out);

/// Each removes what it reads from the front of `in`; nothing if it is cut short or does not fit 64 bits.
std::optional<std::uint64_t> take_long_varint(std::string_view& in);
inline std::optional<std::uint64_t> take_varint(std::string_view& in) {
  if (in.empty() || static_cast<unsigned char>(in.front()) >= 0x80) return take_long_varint(in);
  const auto number = static_cast<std::uint64_t>(in.front());  // most are lengths and counts of one byte
  in.remove_prefix(1);
  return number;
}
/// \returns a part of `in`: nothing is copied
std::optional<std::string_view> take_bytes(std::string_view& in);

}  // namespace flock::internal
