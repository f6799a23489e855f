#pragma once

#include <string_view>

namespace flock {

/// For the end of a program that prints: what a full disk or a closed pipe did not take must not look like success.
/// \returns `code`; if what was printed could not be written, which it says on stderr, and `code` is 0: 1
int end_of_output(std::string_view program, int code);

}  // namespace flock
