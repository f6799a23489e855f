#pragma once

#include <flock/clock.hpp>
#include <flock/error.hpp>
#include <flock/name.hpp>
#include <flock/value.hpp>

#include <cassert>
#include <concepts>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace flock {

/// How a C++ type becomes a value and comes back. Ready for booleans, numbers, text, bytes, optional, vector, map,
/// milliseconds (as their number) and any struct that lists its members:
///
///     struct blow {
///       int strength = 0;
///       std::optional<std::string> weapon;
///       template <class Fields> static void fields(Fields& f) { f("strength", &blow::strength)("weapon",
///       &blow::weapon); }
///     };
///
/// A struct is a map with those members. Members that are not listed are ignored, so a newer version may add some; a
/// listed one that is missing is an error unless it is optional.
///
/// Specialize it for a type of your own: `static value to(const T&)`, `static result<T> from(const value&)`,
/// `static std::string name()` (shown to people who call a method by hand). Calls move what they pass to these two.
template <class T> struct value_traits;

template <class T> value to_value(const T& v) { return value_traits<T>::to(v); }

/// Errors: bad_argument (the text names what was expected and what was there)
template <class T> result<T> from_value(const value& v) { return value_traits<T>::from(v); }

/// "expected an integer, found text"
error wrong_kind(std::string_view expected, const value& found);

template <> struct value_traits<value> {
  static value to(value v) { return v; }
  static result<value> from(const value& v) { return v; }
  static std::string name() { return "any"; }
};

template <> struct value_traits<bool> {
  static value to(bool v) { return v; }
  static result<bool> from(const value& v) {
    if (const auto* b = v.as_bool()) return *b;
    return wrong_kind("a boolean", v);
  }
  static std::string name() { return "boolean"; }
};

template <std::integral T>
requires(!std::same_as<T, bool>) struct value_traits<T> {
  static value to(T v) {
    assert(std::in_range<std::int64_t>(v));
    return static_cast<std::int64_t>(v);
  }
  static result<T> from(const value& v) {
    const auto* i = v.as_int();
    if (!i) return wrong_kind("an integer", v);
    if (!std::in_range<T>(*i)) return error{error_code::bad_argument, std::to_string(*i) + " is out of range"};
    return static_cast<T>(*i);
  }
  static std::string name() { return "integer"; }
};

template <std::floating_point T> struct value_traits<T> {
  static value to(T v) { return static_cast<double>(v); }
  static result<T> from(const value& v) {
    if (const auto* d = v.as_real()) return static_cast<T>(*d);
    if (const auto* i = v.as_int()) return static_cast<T>(*i);
    return wrong_kind("a number", v);
  }
  static std::string name() { return "number"; }
};

template <> struct value_traits<std::string> {
  static value to(std::string v) { return value(std::move(v)); }
  static result<std::string> from(const value& v) {
    if (const auto* s = v.as_text()) return *s;
    return wrong_kind("text", v);
  }
  static result<std::string> from(value&& v) {
    if (auto* s = v.as_text()) return std::move(*s);
    return wrong_kind("text", v);
  }
  static std::string name() { return "text"; }
};

template <> struct value_traits<blob> {
  static value to(blob v) { return value(std::move(v)); }
  static result<blob> from(const value& v) {
    if (const auto* b = v.as_bytes()) return *b;
    return wrong_kind("bytes", v);
  }
  static std::string name() { return "bytes"; }
};

template <> struct value_traits<milliseconds> {
  static value to(milliseconds v) { return std::int64_t{v.count()}; }
  static result<milliseconds> from(const value& v) {
    if (const auto* i = v.as_int()) return milliseconds(*i);
    return wrong_kind("a number of milliseconds", v);
  }
  static std::string name() { return "milliseconds"; }
};

template <class T> struct value_traits<std::optional<T>> {
  static value to(const std::optional<T>& v) { return v ? to_value(*v) : value(); }
  static result<std::optional<T>> from(const value& v) {
    if (v.is_null()) return std::optional<T>();
    auto inner = from_value<T>(v);
    if (!inner) return inner.error();
    return std::optional<T>(*std::move(inner));
  }
  static std::string name() { return value_traits<T>::name() + "?"; }
};

template <class T> struct value_traits<std::vector<T>> {
  static value to(const std::vector<T>& v) {
    value::list out;
    out.reserve(v.size());
    for (const auto& element : v) out.push_back(to_value<T>(element));
    return out;
  }
  static result<std::vector<T>> from(const value& v) {
    const auto* elements = v.as_list();
    if (!elements) return wrong_kind("a list", v);
    std::vector<T> out;
    out.reserve(elements->size());
    for (const auto& element : *elements) {
      auto one = from_value<T>(element);
      if (!one) return one.error().within("element " + std::to_string(out.size()));
      out.push_back(*std::move(one));
    }
    return out;
  }
  static std::string name() { return "list of " + value_traits<T>::name(); }
};

template <class T> struct value_traits<std::map<std::string, T>> {
  static value to(const std::map<std::string, T>& v) {
    value::map out;
    for (const auto& [key, member] : v) out.emplace(key, to_value(member));
    return out;
  }
  static result<std::map<std::string, T>> from(const value& v) {
    const auto* members = v.as_map();
    if (!members) return wrong_kind("a map", v);
    std::map<std::string, T> out;
    for (const auto& [key, member] : *members) {
      auto one = from_value<T>(member);
      if (!one) return one.error().within("member " + key);
      out.emplace(key, *std::move(one));
    }
    return out;
  }
  static std::string name() { return "map of " + value_traits<T>::name(); }
};

/// A type that is parsed from text and printed by str(): node_id, actor_name, address, resource_name, incarnation.
template <class T>
concept named = requires(const T& t, std::string_view text) {
  { T::parse(text) } -> std::same_as<result<T>>;
  { t.str() } -> std::convertible_to<std::string>;
};

template <named T> struct value_traits<T> {
  static value to(const T& v) { return std::string(v.str()); }
  static result<T> from(const value& v) {
    if (const auto* s = v.as_text()) return T::parse(*s);
    return wrong_kind("text", v);
  }
  static std::string name() { return "text"; }
};

namespace detail {

template <class T> struct field_writer {
  const T& from;
  value::map& into;
  template <class M> field_writer& operator()(const char* name, M T::*member) {
    into.emplace(name, to_value<M>(from.*member));
    return *this;
  }
};

template <class T> struct field_reader {
  const value& from;
  T& into;
  std::optional<error> failed{};
  template <class M> field_reader& operator()(const char* name, M T::*member) {
    if (failed) return *this;
    auto read = from_value<M>(from[name]);
    if (read)
      into.*member = *std::move(read);
    else
      failed = read.error().within(name);
    return *this;
  }
};

}  // namespace detail

/// A struct that lists its members with fields().
template <class T>
concept with_fields = requires(detail::field_reader<T>& reader) {
  T::fields(reader);
};

template <with_fields T> struct value_traits<T> {
  static value to(const T& v) {
    value::map out;
    detail::field_writer<T> writer{v, out};
    T::fields(writer);
    return out;
  }
  static result<T> from(const value& v) {
    if (!v.as_map()) return wrong_kind("a map", v);
    T out{};
    detail::field_reader<T> reader{v, out};
    T::fields(reader);
    if (reader.failed) return *reader.failed;
    return out;
  }
  static std::string name() { return "map"; }
};

}  // namespace flock
