#include "libflock/sqlite/checksum.hpp"

#include <array>
#include <bit>
#include <cstddef>
#include <cstring>

namespace flock::internal {

namespace {

constexpr std::uint32_t polynomial = 0x82f63b78;  // reflected

using table = std::array<std::uint32_t, 256>;

// Eight bytes are taken at a time ("slicing by 8"): table k is for a byte that has k bytes behind it.
constexpr std::array<table, 8> make_tables() {
  std::array<table, 8> t{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    auto crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? polynomial : 0);
    t[0][byte] = crc;
  }
  for (std::size_t k = 1; k < t.size(); ++k)
    for (std::size_t byte = 0; byte < 256; ++byte) t[k][byte] = (t[k - 1][byte] >> 8) ^ t[0][t[k - 1][byte] & 0xff];
  return t;
}

constexpr auto tables = make_tables();

std::uint64_t little_endian(const char* eight) {
  std::uint64_t word = 0;
  std::memcpy(&word, eight, sizeof word);
  if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
  return word;
}

}  // namespace

std::uint32_t crc32c(std::string_view data, std::uint32_t before) {
  auto crc = ~before;
  for (; data.size() >= 8; data.remove_prefix(8)) {
    const auto word = little_endian(data.data()) ^ crc;
    crc = 0;
    for (std::size_t k = 0; k < 8; ++k) crc ^= tables[7 - k][(word >> (8 * k)) & 0xff];
  }
  for (const char c : data) crc = (crc >> 8) ^ tables[0][(crc ^ static_cast<unsigned char>(c)) & 0xff];
  return ~crc;
}

}  // namespace flock::internal
