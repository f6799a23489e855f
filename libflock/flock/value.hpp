#pragma once

#include <flock/error.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace flock {

/// Raw bytes, where text would be a lie.
struct blob {
  std::string data;
  friend bool operator==(const blob&, const blob&) = default;
};

class value;

/// The members of a value that is a map, in the order of their names: what is used of a std::map<std::string, value>.
/// But it is one piece of memory, for most have few members, and many are made only to be sent. So whatever adds or
/// removes a member makes iterators and references invalid, and a member whose name comes last is the quickest to add.
class value_map {
 public:
  using key_type = std::string;
  using mapped_type = value;
  using value_type = std::pair<std::string, value>;
  using iterator = std::vector<value_type>::iterator;
  using const_iterator = std::vector<value_type>::const_iterator;

  value_map();
  /// {{"name", value}, ...}. Of members with one name the first counts.
  struct initial;
  value_map(std::initializer_list<initial> members);
  /// Many at once, in any order. \returns nothing if a name is there twice
  static std::optional<value_map> of(std::vector<value_type> members);

  iterator begin();
  iterator end();
  const_iterator begin() const;
  const_iterator end() const;
  std::size_t size() const;
  bool empty() const;

  iterator find(std::string_view name);
  const_iterator find(std::string_view name) const;
  bool contains(std::string_view name) const;
  std::size_t count(std::string_view name) const;
  /// It must be there.
  value& at(std::string_view name);
  const value& at(std::string_view name) const;
  /// Made, as null, if it is not there.
  value& operator[](std::string_view name);

  /// Does nothing if there is a member of this name. \returns where it is, and whether it is new
  template <class Name, class V> std::pair<iterator, bool> emplace(Name&& name, V&& v);
  template <class Name, class V> std::pair<iterator, bool> insert_or_assign(Name&& name, V&& v);

  /// \returns how many were removed
  std::size_t erase(std::string_view name);
  iterator erase(const_iterator at);
  void clear();
  void reserve(std::size_t members);

  friend bool operator==(const value_map& a, const value_map& b);

 private:
  /// The member of this name, or where it belongs.
  iterator place(std::string_view name);

  std::vector<value_type> members_;
};

/// The one data type that crosses wires: arguments, results, attributes, messages. Null, boolean, 64-bit integer,
/// double, text, bytes, list, or map with text keys.
class value {
 public:
  using list = std::vector<value>;
  using map = value_map;
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
  std::string* as_text() { return std::get_if<std::string>(&data_); }
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

/// A member of a map that is about to be made. It is moved from, though elements of an initializer list are constant.
struct value_map::initial {
  std::string_view name;
  mutable value what;
};

inline value_map::value_map() = default;
inline value_map::iterator value_map::begin() { return members_.begin(); }
inline value_map::iterator value_map::end() { return members_.end(); }
inline value_map::const_iterator value_map::begin() const { return members_.begin(); }
inline value_map::const_iterator value_map::end() const { return members_.end(); }
inline std::size_t value_map::size() const { return members_.size(); }
inline bool value_map::empty() const { return members_.empty(); }
inline bool value_map::contains(std::string_view name) const { return find(name) != end(); }
inline std::size_t value_map::count(std::string_view name) const { return contains(name) ? 1 : 0; }
inline void value_map::clear() { members_.clear(); }
inline void value_map::reserve(std::size_t members) { members_.reserve(members); }

template <class Name, class V> std::pair<value_map::iterator, bool> value_map::emplace(Name&& name, V&& v) {
  const auto at = place(name);
  if (at != end() && at->first == name) return {at, false};
  return {members_.emplace(at, std::forward<Name>(name), std::forward<V>(v)), true};
}

template <class Name, class V> std::pair<value_map::iterator, bool> value_map::insert_or_assign(Name&& name, V&& v) {
  const auto at = place(name);
  if (at == end() || at->first != name)
    return {members_.emplace(at, std::forward<Name>(name), std::forward<V>(v)), true};
  at->second = std::forward<V>(v);
  return {at, false};
}

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
