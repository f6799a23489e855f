#include "libflock/values/value_writer.hpp"
#include "libflock/values/wire.hpp"
#include <flock/value.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <ostream>

namespace flock {

namespace {

using internal::take_bytes;
using internal::take_varint;
using internal::unzigzag;
using internal::value_writer;
using tag = internal::value_tag;

constinit const value no_value;

error broken(std::string what) { return {error_code::protocol, "value: " + std::move(what)}; }

// Enough for most lists and maps; those that claim more grow as it turns out to be there.
constexpr std::uint64_t trusted_count = 8;

/// \param depth  how many levels of lists and maps are allowed
result<value> read(std::string_view& in, int depth);

result<value> read_real(std::string_view& in) {
  if (in.size() < 8) return broken("cut short in a real");
  std::uint64_t bits = 0;
  for (unsigned i = 0; i < 8; ++i) bits |= std::uint64_t{static_cast<unsigned char>(in[i])} << 8 * i;
  in.remove_prefix(8);
  return value(std::bit_cast<double>(bits));
}

result<value> read_list(std::string_view& in, int depth) {
  if (depth <= 0) return broken("nested too deeply");
  auto count = take_varint(in);
  // Every element has one byte at least.
  if (!count || *count > in.size()) return broken("cut short in a list");
  value::list elements;
  elements.reserve(std::min(*count, trusted_count));
  for (std::uint64_t i = 0; i < *count; ++i) {
    auto element = read(in, depth - 1);
    if (!element) return element;
    elements.push_back(*std::move(element));
  }
  return value(std::move(elements));
}

result<value> read_map(std::string_view& in, int depth) {
  if (depth <= 0) return broken("nested too deeply");
  auto count = take_varint(in);
  if (!count || *count > in.size()) return broken("cut short in a map");
  std::vector<value::map::value_type> members;
  members.reserve(std::min(*count, trusted_count));
  for (std::uint64_t i = 0; i < *count; ++i) {
    auto key = take_bytes(in);
    if (!key) return broken("cut short in a map");
    auto member = read(in, depth - 1);
    if (!member) return member;
    members.emplace_back(*key, *std::move(member));
  }
  auto map = value::map::of(std::move(members));
  if (!map) return broken("a map has a member twice");
  return value(*std::move(map));
}

result<value> read(std::string_view& in, int depth) {
  if (in.empty()) return broken("cut short");
  auto t = static_cast<tag>(in.front());
  in.remove_prefix(1);
  switch (t) {
    case tag::null:
      return value();
    case tag::false_:
      return value(false);
    case tag::true_:
      return value(true);
    case tag::integer:
      if (auto n = take_varint(in)) return value(unzigzag(*n));
      return broken("cut short in an integer");
    case tag::real:
      return read_real(in);
    case tag::text:
      if (auto s = take_bytes(in)) return value(*s);
      return broken("cut short in text");
    case tag::bytes:
      if (auto b = take_bytes(in)) return value(blob{std::string(*b)});
      return broken("cut short in bytes");
    case tag::list:
      return read_list(in, depth);
    case tag::map:
      return read_map(in, depth);
  }
  return broken("unknown tag " + std::to_string(static_cast<int>(t)));
}

}  // namespace

value_map::value_map(std::initializer_list<initial> members) {
  members_.reserve(members.size());
  for (const auto& m : members) emplace(m.name, std::move(m.what));
}

std::optional<value_map> value_map::of(std::vector<value_type> members) {
  const auto is_before = [](const value_type& a, const value_type& b) { return a.first < b.first; };
  const auto is_same = [](const value_type& a, const value_type& b) { return a.first == b.first; };
  if (!std::is_sorted(members.begin(), members.end(), is_before)) std::sort(members.begin(), members.end(), is_before);
  if (std::adjacent_find(members.begin(), members.end(), is_same) != members.end()) return std::nullopt;
  value_map map;
  map.members_ = std::move(members);
  return map;
}

value_map::iterator value_map::place(std::string_view name) {
  if (members_.empty() || members_.back().first < name) return end();
  return std::lower_bound(begin(), end(), name, [](const value_type& m, std::string_view n) { return m.first < n; });
}

value_map::iterator value_map::find(std::string_view name) {
  const auto at = place(name);
  return at != end() && at->first == name ? at : end();
}

value_map::const_iterator value_map::find(std::string_view name) const {
  return const_cast<value_map*>(this)->find(name);
}

value& value_map::at(std::string_view name) {
  const auto at = find(name);
  assert(at != end());
  return at->second;
}

const value& value_map::at(std::string_view name) const { return const_cast<value_map*>(this)->at(name); }

value& value_map::operator[](std::string_view name) { return emplace(name, value()).first->second; }

std::size_t value_map::erase(std::string_view name) {
  const auto at = find(name);
  if (at == end()) return 0;
  members_.erase(at);
  return 1;
}

value_map::iterator value_map::erase(const_iterator at) { return members_.erase(at); }

bool operator==(const value_map& a, const value_map& b) { return a.members_ == b.members_; }

const value& value::operator[](std::string_view key) const {
  const auto* members = as_map();
  if (!members) return no_value;
  auto found = members->find(key);
  return found == members->end() ? no_value : found->second;
}

const value& value::at_path(std::string_view dotted) const {
  auto dot = dotted.find('.');
  const auto& member = (*this)[dotted.substr(0, dot)];
  return dot == dotted.npos ? member : member.at_path(dotted.substr(dot + 1));
}

std::string_view to_string(value::kind k) {
  constexpr std::array<std::string_view, 8> names = {"null", "boolean", "integer", "real",
                                                     "text", "bytes",   "list",    "map"};
  return names[static_cast<std::size_t>(k)];
}

void encode(const value& v, std::string& out) {
  value_writer to(out);
  switch (v.type()) {
    case value::kind::null:
      return to.put(nullptr);
    case value::kind::boolean:
      return to.put(*v.as_bool());
    case value::kind::integer:
      return to.put(*v.as_int());
    case value::kind::real:
      return to.put(*v.as_real());
    case value::kind::text:
      return to.put(*v.as_text());
    case value::kind::bytes:
      return to.put(*v.as_bytes());
    case value::kind::list:
      return to.put(*v.as_list());
    case value::kind::map:
      return to.put(*v.as_map());
  }
}

std::string encode(const value& v) {
  std::string out;
  encode(v, out);
  return out;
}

result<value> decode(std::string_view& in, const value_limits& limits) {
  auto allowed = in.substr(0, limits.bytes);
  auto before = allowed.size();
  auto v = read(allowed, limits.depth);
  if (v) in.remove_prefix(before - allowed.size());
  return v;
}

std::ostream& operator<<(std::ostream& out, const value& v) { return out << to_json(v); }

}  // namespace flock
