#pragma once

#include <flock/error.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace flock {

/// A pattern in which * stands for any characters, ? for one of UTF-8, and a backslash takes the next character as it
/// is. Made once, and held against many texts.
///
/// It is looked at from the front for all places of the pattern at once, so a text takes steps() for each of its bytes,
/// whatever the pattern is.
class glob {
 public:
  /// Bytes of a pattern: as many as a name may have.
  static constexpr std::size_t max_size = 4096;

  /// Errors: bad_argument (too long)
  static result<glob> parse(std::string_view pattern);
  /// The one that everything fits.
  static glob any() { return glob("*"); }

  bool fits(std::string_view text) const;

  /// For each byte of a text: one for each 64 characters of the pattern that are no star.
  std::size_t steps() const { return words_; }

 private:
  // A set of places in the pattern: between its characters, the first is before all of them. Stars are none.
  using word = std::uint64_t;
  static constexpr std::size_t word_bits = 64;
  static constexpr std::size_t max_words = max_size / word_bits + 1;

  explicit glob(std::string_view pattern);
  void add(std::vector<word>& places, std::size_t row, std::size_t place) const;
  bool advance(word* reached, unsigned char byte) const;

  std::size_t end_ = 0;                      // the place after the last character
  std::size_t words_ = 1;                    // of a set
  std::array<std::uint16_t, 256> row_of_{};  // of takes_, for each byte
  std::vector<word> takes_;                  // rows of places whose next character such a byte begins, or is
  std::vector<word> stays_;  // two rows of places where any byte may follow, and a byte within a character
};

/// The pattern that only this text fits.
std::string escape_glob(std::string_view text);

}  // namespace flock
