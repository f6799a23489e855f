#include "libflock/sqlite/checksum.hpp"

#include <doctest/doctest.h>

#include <string>

using flock::internal::crc32c;

TEST_CASE("CRC-32C of the examples of its standard") {
  std::string rising, falling;
  for (int i = 0; i < 32; ++i) {
    rising += static_cast<char>(i);
    falling += static_cast<char>(31 - i);
  }

  CHECK(crc32c("") == 0);
  CHECK(crc32c("123456789") == 0xe3069283);
  CHECK(crc32c(std::string(32, '\0')) == 0x8a9136aa);
  CHECK(crc32c(std::string(32, '\xff')) == 0x62a8ab43);
  CHECK(crc32c(rising) == 0x46dd794e);
  CHECK(crc32c(falling) == 0x113fdb5c);
}

TEST_CASE("the CRC-32C of two parts is that of the whole, wherever it is cut") {
  const std::string whole = "the quick brown fox jumps over the lazy dog";

  for (std::size_t cut = 0; cut <= whole.size(); ++cut)
    CHECK(crc32c(whole.substr(cut), crc32c(whole.substr(0, cut))) == crc32c(whole));
}

TEST_CASE("every single wrong bit changes the CRC-32C") {
  std::string data(100, 'x');
  const auto right = crc32c(data);

  for (std::size_t bit = 0; bit < 8 * data.size(); ++bit) {
    data[bit / 8] = static_cast<char>(data[bit / 8] ^ (1 << bit % 8));
    CHECK(crc32c(data) != right);
    data[bit / 8] = static_cast<char>(data[bit / 8] ^ (1 << bit % 8));
  }
}
