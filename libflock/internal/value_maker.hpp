#pragma once

#include <flock/value.hpp>

#include <initializer_list>
#include <string_view>
#include <utility>

namespace flock::internal {

/// A member of a map that is about to be made.
struct value_member {
  std::string_view name;
  mutable value what;  ///< moved out by map_of(), though the elements of an initializer list are constant
};

/// What value::map{{"a", x}} makes; but that copies x, and all that is in it, for the elements of its list are
/// constant.
inline value::map map_of(std::initializer_list<value_member> members) {
  value::map out;
  for (const auto& m : members) out.emplace(m.name, std::move(m.what));
  return out;
}

/// What value::list{x, y} makes, likewise.
template <class... Values> value::list list_of(Values&&... values) {
  value::list out;
  out.reserve(sizeof...(values));
  (out.emplace_back(std::forward<Values>(values)), ...);
  return out;
}

}  // namespace flock::internal
