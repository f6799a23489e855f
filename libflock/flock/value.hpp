#pragma once

#include <flock/error.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace flock {

/// Raw bytes, where text would be a lie.
struct blob {
  std::string data;
  friend bool operator==(const blob&, const blob&) = default;
};

/// The one data type that crosses wires: arguments, results, attributes, messages. Null, boolean, 64-bit integer,
/// double, text, bytes, list, or map with text keys.
class value {
 public:
  using list = std::vector<value>;
  using map = std::map<std::string, value, std::less<>>;
  enum class kind : std::uint8_t { null, boolean, integer, real, text, bytes, list, map };

  value() = default;
  value(std::nullptr_t) {}
  template <std::same_as<bool> B>  // exactly bool: a pointer must not become true
  value(B b) : data_(b) {}
  template <std::integral I>
  requires(!std::same_as<I, bool>) value(I i) : data_(static_cast<std::int64_t>(i)) {}
  value(double d) : data_(d) {}
  value(const char* s) : data_(std::string(s)) {}
  value(std::string s) : data_(std::move(s)) {}
  value(std::string_view s) : data_(std::string(s)) {}
  value(blob b) : data_(std::move(b)) {}
  value(list l) : data_(std::move(l)) {}
  value(map m) : data_(std::move(m)) {}

  kind type() const { return static_cast<kind>(data_.index()); }
  bool is_null() const { return type() == kind::null; }

  /// What it holds, or null if it holds something else.
  const bool* as_bool() const { return std::get_if<bool>(&data_); }
  const std::int64_t* as_int() const { return std::get_if<std::int64_t>(&data_); }
  const double* as_real() const { return std::get_if<double>(&data_); }
  const std::string* as_text() const { return std::get_if<std::string>(&data_); }
  const blob* as_bytes() const { return std::get_if<blob>(&data_); }
  const list* as_list() const { return std::get_if<list>(&data_); }
  const map* as_map() const { return std::get_if<map>(&data_); }
  list* as_list() { return std::get_if<list>(&data_); }
  map* as_map() { return std::get_if<map>(&data_); }

  /// The member of a map; null if this is no map or has no such member.
  const value& operator[](std::string_view key) const;
  /// A member of members, named by a path: "kernel.release".
  const value& at_path(std::string_view dotted) const;

  friend bool operator==(const value&, const value&) = default;

 private:
  std::variant<std::monostate, bool, std::int64_t, double, std::string, blob, list, map> data_;
};

std::string_view to_string(value::kind k);

/// What a value that came from outside may cost. A claimed length is never believed beyond the bytes that are there.
struct value_limits {
  std::size_t bytes = 1 << 20;  ///< the frame limit of the transport
  int depth = 64;               ///< deeper than any honest document, shallow enough for the stack
};

/// Binary form: one tag byte, then a zigzag varint (integer), eight bytes little endian (real), a varint length and the
/// bytes (text, bytes), a varint count and the elements (list), or the members as text and value (map). Tags: 0 null,
/// 1 false, 2 true, 3 integer, 4 real, 5 text, 6 bytes, 7 list, 8 map.
void encode(const value& v, std::string& out);
std::string encode(const value& v);
/// Reads one value from the front of `in` and removes it from there.
/// Errors: protocol (cut short, unknown tag, a member twice, or beyond the limits)
result<value> decode(std::string_view& in, const value_limits& limits = {});

/// JSON form. Bytes become {"$bytes": base64}; what JSON cannot say is made sayable: a real that is not finite
/// becomes null, bytes in text that are no UTF-8 become U+FFFD.
std::string to_json(const value& v, int indent = -1);
/// An integer beyond 64 bits becomes a real.
/// Errors: bad_argument (with line and column; a member that is there twice, too)
result<value> from_json(std::string_view text, const value_limits& limits = {});

/// As JSON on one line.
std::ostream& operator<<(std::ostream& out, const value& v);

}  // namespace flock
