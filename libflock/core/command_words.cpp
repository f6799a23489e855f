#include "libflock/core/command_words.hpp"

#include <string_view>

namespace flock::internal {

result<void> check_words(const std::vector<std::string>& words) {
  for (const auto& word : words)
    for (std::string_view placeholder :
         {"%canonical_option%", "%invalid_line%", "%option%", "%original_token%", "%prefix%", "%value%"})
      if (word.find(placeholder) != word.npos)
        return error{error_code::bad_argument, "no word of a command line may have " + std::string(placeholder)};
  return {};
}

}  // namespace flock::internal
