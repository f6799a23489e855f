#pragma once

#include <flock/error.hpp>

#include <string>
#include <vector>

namespace flock::internal {

/// Whether Boost.Program_options may see the words of a command line. Its messages have placeholders, such as %value%,
/// and it looks for more of them in what it has put there (1.74): a word that has one keeps it at that for ever.
/// Errors: bad_argument
result<void> check_words(const std::vector<std::string>& words);

}  // namespace flock::internal
