#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

// What fuzz targets are made of: each is a source with one LLVMFuzzerTestOneInput(), which does with its input what
// Flock does with what comes from outside, and ends the process if a property does not hold.

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace flock::fuzz {

inline std::string_view as_text(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// Removes everything up to the next line break, and that, from the front of `in`.
std::string_view take_line(std::string_view& in);

/// Ends the process with this sentence if it is not true.
void require(bool holds, std::string_view sentence);

/// The most that the text of an error has, in bytes, whatever was wrong: it goes into logs and answers.
inline constexpr std::size_t longest_error = 4096;

/// What one input may cost: the bytes that are asked for with `new` while this lives, those that were given back
/// included. Other than time they are the same on every machine, and what takes a step too many for each byte of its
/// input mostly asks for memory in it. Ends the process if it was more. For one thread.
class allowance {
 public:
  explicit allowance(std::size_t bytes);
  ~allowance();
  allowance(const allowance&) = delete;
  allowance& operator=(const allowance&) = delete;

 private:
  std::size_t until_;
};

}  // namespace flock::fuzz
