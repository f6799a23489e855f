#include "libflock/values/glob.hpp"

#include <cstddef>

namespace flock {

namespace {

/// The size of the first character of a UTF-8 text that is not empty.
std::size_t character_size(std::string_view text) {
  std::size_t size = 1;
  while (size < text.size() && (static_cast<unsigned char>(text[size]) & 0xc0U) == 0x80) ++size;
  return size;
}

}  // namespace

bool fits_glob(std::string_view pattern, std::string_view text) {
  bool starred = false;
  std::string_view after_star, retry_at;  // where to go on when the last star takes one character more
  while (true) {
    if (!pattern.empty() && pattern.front() == '*') {
      pattern.remove_prefix(1);
      starred = true;
      after_star = pattern;
      retry_at = text;
      continue;
    }
    if (pattern.empty() && text.empty()) return true;
    if (!pattern.empty() && !text.empty()) {
      if (pattern.front() == '?') {
        pattern.remove_prefix(1);
        text.remove_prefix(character_size(text));
        continue;
      }
      std::size_t escaped = pattern.front() == '\\' && pattern.size() > 1 ? 1 : 0;
      if (pattern[escaped] == text.front()) {
        pattern.remove_prefix(escaped + 1);
        text.remove_prefix(1);
        continue;
      }
    }
    if (!starred || retry_at.empty()) return false;
    retry_at.remove_prefix(1);
    pattern = after_star;
    text = retry_at;
  }
}

std::string escape_glob(std::string_view text) {
  std::string pattern;
  for (char c : text) {
    if (c == '*' || c == '?' || c == '\\') pattern += '\\';
    pattern += c;
  }
  return pattern;
}

}  // namespace flock
