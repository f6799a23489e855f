#include "libflock/values/presentable.hpp"

#include <flock/name.hpp>

#include <cstddef>
#include <string_view>

namespace flock::internal {

namespace {

// A few lines of a terminal. What is wrong stands behind what was quoted, more of which is at its beginning.
constexpr std::size_t longest = 1024;
constexpr std::size_t longest_end = 256;

bool continues(char c) { return (static_cast<unsigned char>(c) & 0xc0U) == 0x80; }

std::string shortened(std::string text) {
  if (text.size() <= longest) return text;
  constexpr std::string_view gap = "...";
  auto begin = longest - longest_end - gap.size(), end = text.size() - longest_end;
  // Characters stay whole: they have four bytes at most.
  for (int i = 0; i < 3 && continues(text[begin]); ++i) --begin;
  for (int i = 0; i < 3 && continues(text[end]); ++i) ++end;
  return text.replace(begin, end - begin, gap);
}

std::string escaped(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f)
      out += c;
    else
      out += {'\\', 'x', digits[byte >> 4U], digits[byte & 0xfU]};
  }
  return out;
}

}  // namespace

std::string presentable(std::string text) {
  text = shortened(std::move(text));
  return is_printable_utf8(text) ? text : shortened(escaped(text));
}

}  // namespace flock::internal
