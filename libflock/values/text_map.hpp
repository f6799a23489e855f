#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

namespace flock {

/// Hashes texts, however they are held, so that a search makes no std::string.
struct text_hash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};

/// By ids, which begin alike, come by the thousand, and whose order means nothing.
template <class T> using text_map = std::unordered_map<std::string, T, text_hash, std::equal_to<>>;
using text_set = std::unordered_set<std::string, text_hash, std::equal_to<>>;

}  // namespace flock
