#pragma once

#include "libflock/values/packed_reader.hpp"
#include "libflock/values/value_writer.hpp"
#include <flock/clock.hpp>
#include <flock/error.hpp>
#include <flock/value.hpp>

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace flock::internal {

// The binary form of a struct, described once for writing and for reading.

/// One member of a struct: its name in the form, where it is in the struct, and how it is written there. See below for
/// those that there are.
template <class T, class M, class Form> struct record_member {
  std::string_view name;
  M T::*at;
  Form form;

  bool is_absent(const T& record) const { return form.is_absent(record.*at); }
  void write(value_writer& to, std::string& out, const T& record) const { form.write(to.key(name), out, record.*at); }
  std::optional<M> read(packed_reader& in) const { return form.template read<M>(in, name); }
};

template <class T, class M, class Form> record_member(const char*, M T::*, Form) -> record_member<T, M, Form>;

/// The map of these members. They are named in the order in which the struct has them, and written in the order of
/// their names, as a map is. What is read may have others: a newer version's.
template <class T, class... Members> class record_form {
 public:
  constexpr explicit record_form(Members... members) : members_(members...), order_(sorted()) {}

  void write(value_writer& to, std::string& out, const T& record) const {
    std::size_t absent = 0;
    each([&](const auto& m) { absent += m.is_absent(record) ? 1 : 0; });
    to.map(sizeof...(Members) - absent);
    for (const auto place : order_)
      pick(place, [&](const auto& m) {
        if (!m.is_absent(record)) m.write(to, out, record);
      });
  }
  void write(std::string& out, const T& record) const {
    value_writer to(out);
    write(to, out, record);
  }

  /// Errors: bad_argument, naming the member
  result<T> read(std::string_view packed) const {
    packed_reader in(packed);
    auto got = std::apply([&](const auto&... m) { return std::tuple{m.read(in)...}; }, members_);
    if (in.failed()) return *in.failed();
    return std::apply([](auto&... m) { return T{*std::move(m)...}; }, got);
  }

  /// As values, for what is not written by the thousand.
  value to_value(const T& record) const {
    std::string packed;
    write(packed, record);
    return *unpack(packed);
  }

 private:
  constexpr auto sorted() const {
    std::array<std::size_t, sizeof...(Members)> order{};
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    const auto names = std::apply([](const auto&... m) { return std::array{m.name...}; }, members_);
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return names[a] < names[b]; });
    return order;
  }
  template <class F> void each(F f) const {
    std::apply([&](const auto&... m) { (f(m), ...); }, members_);
  }
  template <class F> void pick(std::size_t place, F f) const {
    std::size_t i = 0;
    each([&](const auto& m) {
      if (i++ == place) f(m);
    });
  }

  std::tuple<Members...> members_;
  std::array<std::size_t, sizeof...(Members)> order_;
};

/// Of the struct T, member by member.
template <class T, class... Members> constexpr record_form<T, Members...> describe_record(Members... members) {
  return record_form<T, Members...>(members...);
}

/// The end of the year 9999. With a time up to here nothing that is added or subtracted overflows, and format_time()
/// has digits for it.
inline constexpr milliseconds last_time{253'402'300'799'999};

// The forms of members. What is_absent() is left out; what read() does not find is an error, or as new.

/// Text, a name, a number, a time, values: always there.
struct required {
  static constexpr bool is_absent(const auto&) { return false; }
  template <class M> static void write(value_writer& to, std::string&, const M& m) {
    if constexpr (named<M>)
      to.put(m.str());
    else if constexpr (std::same_as<M, wall_time>)
      to.put(m.time_since_epoch().count());  // a number, for these are written and read once per message
    else
      to.put(m);
  }
  template <class M> static std::optional<M> read(packed_reader& in, std::string_view name) {
    if constexpr (std::same_as<M, wall_time>) {
      const auto since_epoch = in.required<milliseconds>(name);
      if (!since_epoch) return std::nullopt;
      if (*since_epoch >= milliseconds(0) && *since_epoch <= last_time) return wall_time(*since_epoch);
      in.fail({error_code::bad_argument, std::to_string(since_epoch->count()) + " is no time from 1970 to 9999"}, name);
      return std::nullopt;
    } else {
      return in.required<M>(name);
    }
  }
};

/// The same, as new where it is missing.
struct defaulted : required {
  template <class M> static std::optional<M> read(packed_reader& in, std::string_view name) {
    auto got = in.optional<M>(name);
    return in.failed() ? std::nullopt : got ? std::move(got) : M{};
  }
};

/// Text of at most so many bytes: what is kept has a bound that holds when it arrives.
template <class Base = required> struct at_most : Base {
  std::size_t bytes;

  constexpr explicit at_most(std::size_t most) : bytes(most) {}
  template <class M> std::optional<M> read(packed_reader& in, std::string_view name) const {
    auto text = Base::template read<M>(in, name);
    if (!text || text->size() <= bytes) return text;
    in.fail({error_code::bad_argument,
             std::to_string(text->size()) + " bytes, at most " + std::to_string(bytes) + " are taken"},
            name);
    return std::nullopt;
  }
};

/// The same, and left out while it is as new.
struct left_out_when_new : defaulted {
  template <class M> static bool is_absent(const M& m) { return m == M{}; }
};

/// An enumerator, by its name.
template <class E> struct by_name {
  std::optional<E> (*from_name)(std::string_view);
  E last;

  static constexpr bool is_absent(E) { return false; }
  static void write(value_writer& to, std::string&, E e) { to.put(to_string(e)); }
  template <class M> std::optional<M> read(packed_reader& in, std::string_view name) const {
    auto got = in.named(name, from_name, last);
    if (!got) in.fail({error_code::bad_argument, "missing"}, name);
    return got;
  }
};

template <class E> by_name(std::optional<E> (*)(std::string_view), E) -> by_name<E>;

/// A list of records, empty where it is missing.
template <class Record> struct list_of {
  const Record& record;
  std::size_t most;
  std::string_view too_many;  ///< what it means if there are more

  static constexpr bool is_absent(const auto&) { return false; }
  void write(value_writer& to, std::string& out, const auto& list) const {
    to.list(list.size());
    for (const auto& one : list) record.write(out, one);
  }
  template <class M> std::optional<M> read(packed_reader& in, std::string_view name) const {
    const auto packed = in.find(name);
    if (!packed) return M{};
    auto got = read_elements<M>(*packed);
    if (got) return *std::move(got);
    in.fail(got.error(), name);
    return std::nullopt;
  }

 private:
  template <class M> result<M> read_elements(std::string_view packed) const {
    const auto elements = packed_elements(packed);
    if (!elements) return elements.error();
    if (elements->size() > most)
      return error{error_code::bad_argument, std::to_string(elements->size()) + " " + std::string(too_many)};
    M list;
    for (const auto one : *elements) {
      auto read = record.read(one);
      if (!read) return read.error();
      list.push_back(*std::move(read));
    }
    return list;
  }
};

template <class Record> list_of(const Record&, std::size_t, std::string_view) -> list_of<Record>;

}  // namespace flock::internal
