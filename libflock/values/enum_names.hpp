#pragma once

#include <algorithm>
#include <array>
#include <cassert>
#include <cstddef>
#include <optional>
#include <string_view>

namespace flock::internal {

/// The names of an enum's enumerators, which are numbered from 1 without a gap up to `Last`.
template <class E, E Last> using enum_names = std::array<std::string_view, static_cast<std::size_t>(Last)>;

template <class E, std::size_t Count> std::string_view name_of(E e, const std::array<std::string_view, Count>& names) {
  auto index = static_cast<std::size_t>(e) - 1;
  assert(index < Count);
  return names[index];
}

template <class E, std::size_t Count>
std::optional<E> find_name(std::string_view name, const std::array<std::string_view, Count>& names) {
  auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) return std::nullopt;
  return static_cast<E>(found - names.begin() + 1);
}

}  // namespace flock::internal
