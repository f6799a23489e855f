#include "libflock/values/glob.hpp"

#include <algorithm>

namespace flock {

namespace {

// Rows of takes_: those of bytes that the pattern does not name come first.
constexpr std::uint16_t other_byte = 0, byte_within_character = 1, first_named = 2;

/// Of a character of UTF-8, behind its first byte.
bool is_within_character(unsigned char byte) { return (byte & 0xc0U) == 0x80; }

}  // namespace

result<glob> glob::parse(std::string_view pattern) {
  if (pattern.size() <= max_size) return glob(pattern);
  return error{error_code::bad_argument, "a pattern of " + std::to_string(pattern.size()) + " bytes, at most " +
                                             std::to_string(max_size) + " are taken"};
}

glob::glob(std::string_view pattern)
    : words_((pattern.size() - static_cast<std::size_t>(std::count(pattern.begin(), pattern.end(), '*'))) / word_bits +
             1) {
  auto rows = first_named;
  for (std::size_t byte = 0; byte < row_of_.size(); ++byte) {
    const bool is_named = pattern.find(static_cast<char>(byte)) != pattern.npos;
    const bool is_within = is_within_character(static_cast<unsigned char>(byte));
    row_of_[byte] = is_named ? rows++ : is_within ? byte_within_character : other_byte;
  }
  takes_.resize(rows * words_);
  stays_.resize(2 * words_);
  for (std::size_t at = 0; at < pattern.size(); ++at) {
    if (pattern[at] == '*') {
      add(stays_, 0, end_);
      add(stays_, 1, end_);
    } else if (pattern[at] == '?') {
      for (std::size_t byte = 0; byte < row_of_.size(); ++byte)
        if (!is_within_character(static_cast<unsigned char>(byte))) add(takes_, row_of_[byte], end_);
      add(stays_, 1, ++end_);
    } else {
      if (pattern[at] == '\\' && at + 1 < pattern.size()) ++at;
      add(takes_, row_of_[static_cast<unsigned char>(pattern[at])], end_++);
    }
  }
}

void glob::add(std::vector<word>& places, std::size_t row, std::size_t place) const {
  places[row * words_ + place / word_bits] |= word{1} << place % word_bits;
}

bool glob::fits(std::string_view text) const {
  std::array<word, max_words> reached;  // of which words_ count
  std::fill_n(reached.begin(), words_, 0);
  reached[0] = 1;
  const bool all_taken = std::all_of(text.begin(), text.end(),
                                     [&](char c) { return advance(reached.data(), static_cast<unsigned char>(c)); });
  return all_taken && (reached[end_ / word_bits] >> end_ % word_bits & 1U) != 0;
}

/// \returns whether a place is left
bool glob::advance(word* reached, unsigned char byte) const {
  const auto* takes = &takes_[row_of_[byte] * words_];
  const auto* stays = &stays_[is_within_character(byte) ? words_ : 0];
  word carried = 0, any = 0;
  for (std::size_t i = 0; i < words_; ++i) {
    const auto taken = reached[i] & takes[i];
    reached[i] = taken << 1U | carried | (reached[i] & stays[i]);
    carried = taken >> (word_bits - 1);
    any |= reached[i];
  }
  return any != 0;
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
