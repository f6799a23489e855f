#include "libflock/values/wire.hpp"

namespace flock::internal {

void put_varint(std::uint64_t number, std::string& out) {
  for (; number >= 0x80; number >>= 7U) out += static_cast<char>(number | 0x80U);
  out += static_cast<char>(number);
}

void put_bytes(std::string_view bytes, std::string& out) {
  put_varint(bytes.size(), out);
  out += bytes;
}

std::optional<std::uint64_t> take_long_varint(std::string_view& in) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < in.size() && i < 10; ++i) {
    auto byte = static_cast<unsigned char>(in[i]);
    if (i == 9 && byte > 1) return std::nullopt;  // the 64th bit is the last
    number |= std::uint64_t{byte & 0x7fU} << (7 * i);
    if (byte < 0x80) return in.remove_prefix(i + 1), number;
  }
  return std::nullopt;
}

std::optional<std::string_view> take_bytes(std::string_view& in) {
  auto size = take_varint(in);
  if (!size || *size > in.size()) return std::nullopt;
  auto bytes = in.substr(0, *size);
  in.remove_prefix(*size);
  return bytes;
}

}  // namespace flock::internal
