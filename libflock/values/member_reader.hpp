#pragma once

#include <flock/clock.hpp>
#include <flock/error.hpp>
#include <flock/value.hpp>
#include <flock/value_cast.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace flock::internal {

/// "x" is no name of an enumerator: lists those that there are.
template <class E> error none_of(const std::string& text, E last) {
  std::string what = "\"" + text + "\" is none of";
  for (int i = 1; i <= static_cast<int>(last); ++i) what.append(i > 1 ? ", " : " ").append(to_string(E(i)));
  return {error_code::bad_argument, what};
}

/// Reads the members of a map one after the other. The first thing that is wrong is kept, so that the caller asks once,
/// at the end: failed(). Its text begins with the member's name. The names must outlive the reader.
class member_reader {
 public:
  explicit member_reader(const value& from) : from_(from) {
    if (!from.as_map()) failed_ = wrong_kind("a map", from);
    seen_.reserve(16);
  }

  /// A member that must be there. \returns nothing if anything was wrong so far
  template <class T> std::optional<T> required(std::string_view name) {
    const value& member = see(name);
    if (!failed_ && member.is_null()) failed_ = error{error_code::bad_argument, std::string(name) + ": missing"};
    return read<T>(name, member);
  }

  /// A member that may be missing or null.
  template <class T> std::optional<T> optional(std::string_view name) {
    const value& member = see(name);
    return member.is_null() ? std::nullopt : read<T>(name, member);
  }

  /// A member that names an enumerator and may be missing; `from_name` knows its names, which are listed when it is
  /// none of them.
  template <class E>
  std::optional<E> named(std::string_view name, std::optional<E> (*from_name)(std::string_view), E last) {
    auto text = optional<std::string>(name);
    if (!text) return std::nullopt;
    if (auto e = from_name(*text)) return e;
    fail(none_of(*text, last), name);
    return std::nullopt;
  }

  /// Something else is wrong with a member.
  void fail(const error& why, std::string_view name) {
    if (!failed_) failed_ = why.within(name);
  }

  /// From now on a member that nobody read is an error: for what people write, where it may be a slip of the pen.
  void refuse_others() {
    if (failed_) return;
    for (const auto& [name, member] : *from_.as_map()) {
      if (std::find(seen_.begin(), seen_.end(), name) == seen_.end())
        fail({error_code::bad_argument, "no such member"}, name);
    }
  }

  const std::optional<error>& failed() const { return failed_; }

 private:
  const value& see(std::string_view name) {
    seen_.push_back(name);
    return from_[name];
  }

  template <class T> std::optional<T> read(std::string_view name, const value& member) {
    if (failed_) return std::nullopt;
    auto got = from_value<T>(member);
    if (got) return *std::move(got);
    fail(got.error(), name);
    return std::nullopt;
  }

  const value& from_;
  std::vector<std::string_view> seen_;
  std::optional<error> failed_;
};

}  // namespace flock::internal
