#pragma once

#include "libflock/values/wire.hpp"
#include <flock/value.hpp>

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace flock::internal {

/// The first byte of a value's binary form.
enum class value_tag : unsigned char { null, false_, true_, integer, real, text, bytes, list, map };

/// Writes values in their binary form, part by part: for what is written so often that making a value of it first would
/// cost more than all else.
///
/// A map is its count, then for each member key() and one value; a list is its count, then the values. Members come in
/// the order of their keys, byte by byte, as in value::map.
class value_writer {
 public:
  explicit value_writer(std::string& out) : out_(out) {}

  value_writer& map(std::size_t members) {
    tag(value_tag::map);
    put_varint(members, out_);
    return *this;
  }
  value_writer& list(std::size_t elements) {
    tag(value_tag::list);
    put_varint(elements, out_);
    return *this;
  }
  value_writer& key(std::string_view name) {
    put_bytes(name, out_);
    return *this;
  }

  void put(std::nullptr_t) { tag(value_tag::null); }
  void put(std::string_view text) {
    tag(value_tag::text);
    put_bytes(text, out_);
  }
  void put(const std::string& text) { put(std::string_view(text)); }
  void put(const char* text) { put(std::string_view(text)); }
  template <std::same_as<bool> B> void put(B b) { tag(b ? value_tag::true_ : value_tag::false_); }
  template <std::integral I>
  requires(!std::same_as<I, bool>) void put(I number) {
    tag(value_tag::integer);
    put_varint(zigzag(static_cast<std::int64_t>(number)), out_);
  }
  void put(double number) {
    const auto bits = std::bit_cast<std::uint64_t>(number);
    tag(value_tag::real);
    for (unsigned shift = 0; shift < 64; shift += 8) out_ += static_cast<char>(bits >> shift);
  }
  void put(const blob& bytes) {
    tag(value_tag::bytes);
    put_bytes(bytes.data, out_);
  }
  void put(const value& v) { encode(v, out_); }
  void put(const value::list& elements) {
    list(elements.size());
    for (const auto& e : elements) put(e);
  }
  void put(const value::map& members) {
    map(members.size());
    for (const auto& [name, member] : members) key(name).put(member);
  }

  template <class T> value_writer& member(std::string_view name, const T& v) {
    key(name).put(v);
    return *this;
  }

 private:
  void tag(value_tag t) { out_ += static_cast<char>(t); }

  std::string& out_;
};

}  // namespace flock::internal
