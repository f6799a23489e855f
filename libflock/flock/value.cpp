#include "internal/value_writer.hpp"
#include "internal/wire.hpp"
#include <flock/value.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <ostream>

namespace flock {

namespace {

using internal::take_bytes;
using internal::take_varint;
using internal::value_writer;
using tag = internal::value_tag;

constinit const value no_value;

std::int64_t unzigzag(std::uint64_t n) { return static_cast<std::int64_t>(n >> 1U ^ (0 - (n & 1U))); }

error broken(std::string what) { return {error_code::protocol, "value: " + std::move(what)}; }

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
  // Enough for most; lists that claim more grow as their elements turn out to be there.
  elements.reserve(std::min<std::uint64_t>(*count, 8));
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
  value::map members;
  for (std::uint64_t i = 0; i < *count; ++i) {
    auto key = take_bytes(in);
    if (!key) return broken("cut short in a map");
    auto member = read(in, depth - 1);
    if (!member) return member;
    if (!members.emplace(*key, *std::move(member)).second) return broken("a map has a member twice");
  }
  return value(std::move(members));
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
