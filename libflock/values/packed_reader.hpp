#pragma once

#include "libflock/values/member_reader.hpp"
#include <flock/error.hpp>
#include <flock/value.hpp>
#include <flock/value_cast.hpp>

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace flock::internal {

// Reading the binary form of values (see encode()) without making them: what comes by the thousand is read so.

/// The value that these bytes are, whole: what was written or taken here before, however large it is.
/// Errors: protocol (as of decode())
result<value> unpack(std::string_view whole);

/// Removes one value from the front of `in`. \returns its bytes
/// Errors: protocol (as of decode(), but that a member is there twice is not noticed)
result<std::string_view> take_value(std::string_view& in);

/// The elements of a list. Errors: bad_argument (no list), protocol
result<std::vector<std::string_view>> packed_elements(std::string_view list);

std::optional<std::string_view> packed_text(std::string_view v);
std::optional<std::int64_t> packed_integer(std::string_view v);

/// What from_value<T>(decode(v)) gives.
template <class T> result<T> from_packed(std::string_view v) {
  if constexpr (std::same_as<T, std::string>) {
    if (const auto text = packed_text(v)) return std::string(*text);
  } else if constexpr (named<T>) {
    if (const auto text = packed_text(v)) return T::parse(*text);
  } else if constexpr (std::integral<T> && !std::same_as<T, bool>) {
    if (const auto number = packed_integer(v); number && std::in_range<T>(*number)) return static_cast<T>(*number);
  } else if constexpr (std::same_as<T, milliseconds>) {
    if (const auto number = packed_integer(v)) return milliseconds(*number);
  }
  auto made = decode(v);
  if (!made) return made.error();
  if constexpr (std::same_as<T, value>) {
    return made;
  } else if constexpr (std::same_as<T, value::list>) {
    if (auto* list = made->as_list()) return std::move(*list);
  }
  return from_value<T>(*made);
}

/// Reads the members of a map one after the other, as member_reader does. Of members with one name the first counts.
class packed_reader {
 public:
  explicit packed_reader(std::string_view map);

  /// A member that must be there. \returns nothing if anything was wrong so far
  template <class T> std::optional<T> required(std::string_view name) {
    const auto member = find(name);
    if (!failed_ && !member) failed_ = error{error_code::bad_argument, std::string(name) + ": missing"};
    return member ? read<T>(name, *member) : std::nullopt;
  }

  /// A member that may be missing or null.
  template <class T> std::optional<T> optional(std::string_view name) {
    const auto member = find(name);
    return member ? read<T>(name, *member) : std::nullopt;
  }

  /// A member that names an enumerator and may be missing; as of member_reader.
  template <class E>
  std::optional<E> named(std::string_view name, std::optional<E> (*from_name)(std::string_view), E last) {
    const auto text = optional<std::string>(name);
    if (!text) return std::nullopt;
    if (auto e = from_name(*text)) return e;
    fail(none_of(*text, last), name);
    return std::nullopt;
  }

  /// The bytes of a member; nothing if it is missing or null.
  std::optional<std::string_view> find(std::string_view name) const;

  /// Something else is wrong with a member.
  void fail(const error& why, std::string_view name) {
    if (!failed_) failed_ = why.within(name);
  }

  const std::optional<error>& failed() const { return failed_; }

 private:
  template <class T> std::optional<T> read(std::string_view name, std::string_view member) {
    if (failed_) return std::nullopt;
    auto got = from_packed<T>(member);
    if (got) return *std::move(got);
    fail(got.error(), name);
    return std::nullopt;
  }

  std::vector<std::pair<std::string_view, std::string_view>> members_;
  std::optional<error> failed_;
};

}  // namespace flock::internal
