#pragma once

#include <string>
#include <string_view>

namespace flock {

/// Whether a text fits a pattern in which * stands for any characters, ? for one, and a backslash takes the next
/// character as it is. Time grows with the product of both sizes at worst.
bool fits_glob(std::string_view pattern, std::string_view text);

/// The pattern that only this text fits.
std::string escape_glob(std::string_view text);

}  // namespace flock
