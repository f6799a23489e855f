#pragma once

#include <functional>
#include <string>

namespace flock {

/// "create, delete, nothing": the choices that there are, for the text of an error.
/// \param name  makes text of one of them
template <class Range, class Name = std::identity> std::string listed(const Range& all, Name name = {}) {
  std::string text;
  for (const auto& one : all) text += (text.empty() ? "" : ", ") + std::invoke(name, one);
  return text;
}

}  // namespace flock
