#include "libflock/values/presentable.hpp"
#include <flock/name.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <ostream>
#include <sys/random.h>
#include <system_error>

namespace flock {

namespace {

bool is_letter_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

bool is_one_of(char c, std::string_view set) { return set.find(c) != set.npos; }

/// For messages: a name that is wrong may be megabytes of anything.
std::string quoted(std::string_view text) {
  constexpr std::size_t enough = 80;  // a line of a terminal
  const auto shown = "\"" + internal::presentable(std::string(text.substr(0, enough)));
  return text.size() <= enough ? shown + "\"" : shown + "...\" (" + std::to_string(text.size()) + " bytes)";
}

error bad_name(std::string_view what, std::string_view text, std::string_view why) {
  return {error_code::bad_argument, std::string(what) + " " + quoted(text) + ": " + std::string(why)};
}

/// Removes one character from the front. \returns its code point, or nothing if it is not well-formed UTF-8
std::optional<char32_t> take_character(std::string_view& text) {
  auto first = static_cast<unsigned char>(text.front());
  std::size_t size = first < 0x80 ? 1 : first < 0xc0 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf8 ? 4 : 0;
  if (size == 0 || text.size() < size) return std::nullopt;
  char32_t point = size == 1 ? first : first & (0x7fU >> size);
  for (char c : text.substr(1, size - 1)) {
    auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xc0U) != 0x80) return std::nullopt;
    point = point << 6U | (byte & 0x3fU);
  }
  constexpr std::array<char32_t, 5> smallest = {0, 0, 0x80, 0x800, 0x10000};  // smaller ones have a shorter form
  bool surrogate = point >= 0xd800 && point <= 0xdfff;
  if (point < smallest[size] || surrogate || point > 0x10ffff) return std::nullopt;
  text.remove_prefix(size);
  return point;
}

bool is_control(char32_t c) { return c < 0x20 || (c >= 0x7f && c < 0xa0); }

constexpr std::string_view upper_digits = "0123456789ABCDEF";
constexpr std::string_view lower_digits = "0123456789abcdef";

std::optional<std::uint64_t> parse_hexadecimal(std::string_view text) {
  std::uint64_t number = 0;
  auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number, 16);
  if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

result<node_id> node_id::parse(std::string_view text) {
  auto allowed = [](char c) { return is_letter_or_digit(c) || is_one_of(c, "._:-"); };
  if (text.empty() || text.size() > max_size) return bad_name("node id", text, "must have 1 to 255 characters");
  if (!std::all_of(text.begin(), text.end(), allowed)) {
    return bad_name("node id", text, "may consist of letters, digits and ._:- only");
  }
  if (text == "." || text == "..") return bad_name("node id", text, "would stand for a folder");
  return node_id(std::string(text));
}

result<actor_name> actor_name::parse(std::string_view text) {
  if (text.empty() || text.size() > max_size) return bad_name("actor name", text, "must have 1 to 4096 bytes");
  if (!is_printable_utf8(text)) return bad_name("actor name", text, "must be UTF-8 without control characters");
  return actor_name(std::string(text));
}

result<address> address::parse(std::string_view text) {
  std::optional<node_id> node;
  if (auto slash = text.find('/'); slash != text.npos) {
    if (auto id = node_id::parse(text.substr(0, slash))) {
      node = *std::move(id);
      text.remove_prefix(slash + 1);
    }
  }
  auto actor = actor_name::parse(text);
  if (!actor) return actor.error();
  return address{std::move(node), *std::move(actor)};
}

std::string address::str() const { return node ? node->str() + "/" + actor.str() : actor.str(); }

result<resource_name> resource_name::parse(std::string_view text) {
  auto in_type = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
  auto open = text.find('[');
  if (open == text.npos || text.back() != ']') return bad_name("resource", text, "expected type[name]");
  auto type = text.substr(0, open);
  auto name = text.substr(open + 1, text.size() - open - 2);
  if (type.empty() || !(type[0] >= 'a' && type[0] <= 'z') || !std::all_of(type.begin(), type.end(), in_type)) {
    return bad_name("resource", text, "a type consists of a-z, 0-9 and _, and starts with a letter");
  }
  if (name.empty()) return bad_name("resource", text, "the name is empty");
  if (auto actor = actor_name::parse(text); !actor) return actor.error();
  return resource_name{std::string(type), std::string(name)};
}

actor_name resource_name::actor() const { return actor_name::parse(str()).value(); }

incarnation incarnation::random() {
  incarnation life;
  if (::getentropy(&life, sizeof life) != 0) throw std::system_error(errno, std::generic_category(), "getentropy");
  return life;
}

result<incarnation> incarnation::parse(std::string_view text) {
  auto is_digit = [](char c) { return is_one_of(c, lower_digits); };
  if (text.size() != 32 || !std::all_of(text.begin(), text.end(), is_digit)) {
    return bad_name("incarnation", text, "expected 32 lower-case hexadecimal digits");
  }
  return incarnation{*parse_hexadecimal(text.substr(0, 16)), *parse_hexadecimal(text.substr(16))};
}

std::string incarnation::str() const {
  std::string text(32, '0');
  for (std::size_t i = 0; i < 32; ++i) {
    auto shift = 60 - i % 16 * 4;
    text[i] = lower_digits[(i < 16 ? high : low) >> shift & 0xfU];
  }
  return text;
}

std::string percent_encode(std::string_view text) {
  bool a_folder = text == "." || text == "..";
  std::string out;
  for (char c : text) {
    if (is_letter_or_digit(c) || is_one_of(c, "_-~") || (c == '.' && !a_folder)) {
      out += c;
    } else {
      auto byte = static_cast<unsigned char>(c);
      out += {'%', upper_digits[byte >> 4U], upper_digits[byte & 0xfU]};
    }
  }
  return out;
}

result<std::string> percent_decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    auto byte = i + 2 < text.size() ? parse_hexadecimal(text.substr(i + 1, 2)) : std::nullopt;
    if (!byte) return bad_name("percent-encoded text", text, "broken escape at byte " + std::to_string(i + 1));
    out += static_cast<char>(*byte);
    i += 2;
  }
  return out;
}

bool is_printable_utf8(std::string_view text) {
  while (!text.empty()) {
    auto character = take_character(text);
    if (!character || is_control(*character)) return false;
  }
  return true;
}

std::ostream& operator<<(std::ostream& out, const node_id& id) { return out << id.str(); }
std::ostream& operator<<(std::ostream& out, const actor_name& name) { return out << name.str(); }
std::ostream& operator<<(std::ostream& out, const address& where) { return out << where.str(); }
std::ostream& operator<<(std::ostream& out, const resource_name& name) { return out << name.str(); }
std::ostream& operator<<(std::ostream& out, const incarnation& life) { return out << life.str(); }

}  // namespace flock
