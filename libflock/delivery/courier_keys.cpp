#include "libflock/delivery/courier_keys.hpp"

#include <charconv>
#include <cstdio>

namespace flock::internal::courier_keys {

namespace {

std::string hex(std::uint64_t number) {
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(number));
  return digits;
}

}  // namespace

std::string aside_key(std::string_view key) { return "x/" + std::string(key); }
std::string standing_key(const node_id& to) { return "c/" + to.str(); }
std::string position_key(const node_id& from, const std::string& channel) { return "i/" + from.str() + "/" + channel; }
std::string record_key(const std::string& id) { return "n/" + id; }
std::string parcel_key(const node_id& to, std::uint64_t number) { return "o/" + to.str() + "/" + hex(number); }
std::string work_key(const node_id& from, const std::string& channel, std::uint64_t number) {
  return "w/" + from.str() + "/" + channel + "/" + hex(number);
}

result<node_id> node_in(const std::string& rest) { return node_id::parse(rest.substr(0, rest.find('/'))); }

result<std::uint64_t> number_in(const std::string& rest) {
  const auto digits = rest.substr(rest.rfind('/') + 1);
  std::uint64_t number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number, 16);
  // Written otherwise it would not stand in its order, or stand twice.
  if (number == 0 || hex(number) != digits) return error{error_code::io, digits + " is no number"};
  return number;
}

}  // namespace flock::internal::courier_keys
