#pragma once

#include "libflock/words/subscriptions.hpp"
#include <flock/error.hpp>
#include <flock/value.hpp>
#include <flock/value_cast.hpp>

#include <string_view>
#include <vector>

namespace flock {

// The bodies in which a Chef run says something: see docs/control_api.md.

inline error wrong_member(std::string_view name, const error& why) {
  return why.within("the body: " + std::string(name));
}

/// Errors: bad_argument, naming the member
template <class T> result<T> member(const value& body, std::string_view name) {
  auto read = from_value<T>(body[name]);
  if (!read) return wrong_member(name, read.error());
  return read;
}

/// One that may be left out.
template <class T> result<T> member_or(const value& body, std::string_view name, T otherwise) {
  if (body[name].is_null()) return otherwise;
  return member<T>(body, name);
}

/// `subscribes`: a list of {"watched","publishers","resource","action","timing"}, or null for none.
/// Errors: bad_argument, naming the member
result<std::vector<subscription>> subscriptions_from(const value& list);

}  // namespace flock
