#pragma once

#include <cassert>
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace flock {

/// Why something was not done. A code exists only where a caller can act on it; the rest is in the text.
///
/// Sent and JSON form: the enumerator's name, which therefore never changes.
enum class error_code : std::uint8_t {
  not_found = 1,   ///< no such node, actor, resource, notification or key
  bad_argument,    ///< the request itself is wrong; sending it again cannot help
  no_such_method,  ///< the actor exists, its type has no such method or action
  refused,         ///< a policy, a limit or the peer said no; nothing was done
  conflict,        ///< somebody else holds the name, or the version has moved on
  not_owner,       ///< the lock or key is held by another
  timeout,         ///< the deadline passed and the work was surely not done
  unreachable,     ///< no way to the node; nothing was sent
  maybe_done,      ///< it was sent and no answer came: it may have happened
  down,            ///< the node or actor ended
  session_lost,    ///< the registry session is gone, and what it held with it
  shutting_down,   ///< this node, or the other one, is stopping
  io,              ///< a file, socket or process failed
  protocol,        ///< the other side broke the protocol
};

inline constexpr error_code last_error_code = error_code::protocol;

std::string_view to_string(error_code code);
/// \returns nothing if no enumerator has this name: it came from a newer version
std::optional<error_code> error_code_from(std::string_view name);

/// What went wrong: a code to act on and a text that says what, where, and the value that was wrong.
struct error {
  error_code code = error_code::io;
  std::string what;

  /// The same error, seen from further up: "context: what".
  [[nodiscard]] error within(std::string_view context) const;

  friend bool operator==(const error&, const error&) = default;
};

std::ostream& operator<<(std::ostream& out, error_code code);
/// "not_found: no node named bender9"
std::ostream& operator<<(std::ostream& out, const error& e);
std::string to_string(const error& e);

/// A value, or the reason why there is none. Reading the side that is not there is misuse and asserts.
template <class T> class [[nodiscard]] result {
 public:
  using value_type = T;

  result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  result(flock::error e) : state_(std::in_place_index<1>, std::move(e)) {}

  bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  T& value() & { return assert(has_value()), *std::get_if<0>(&state_); }
  const T& value() const& { return assert(has_value()), *std::get_if<0>(&state_); }
  T&& value() && { return assert(has_value()), std::move(*std::get_if<0>(&state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  T value_or(T other) const { return has_value() ? value() : std::move(other); }
  const flock::error& error() const { return assert(!has_value()), *std::get_if<1>(&state_); }

  friend bool operator==(const result&, const result&) = default;

 private:
  std::variant<T, flock::error> state_;
};

/// Done, or the reason why not.
template <> class [[nodiscard]] result<void> {
 public:
  using value_type = void;

  result() = default;
  result(flock::error e) : error_(std::move(e)) {}

  bool has_value() const { return !error_; }
  explicit operator bool() const { return has_value(); }
  const flock::error& error() const { return assert(error_), *error_; }

  friend bool operator==(const result&, const result&) = default;

 private:
  std::optional<flock::error> error_;
};

}  // namespace flock
