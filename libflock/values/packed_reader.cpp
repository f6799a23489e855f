#include "libflock/values/packed_reader.hpp"

#include "libflock/values/value_writer.hpp"
#include "libflock/values/wire.hpp"

#include <algorithm>

namespace flock::internal {

namespace {

// Enough for the maps that are read so; those that claim more grow as it turns out to be there.
constexpr std::uint64_t trusted_count = 16;

error broken() { return {error_code::protocol, "value: cut short, nested too deeply, or with an unknown tag"}; }

bool skip(std::string_view& in, int depth);

bool skip_bytes(std::string_view& in) { return take_bytes(in).has_value(); }

bool skip_elements(std::string_view& in, int depth) {
  auto left = take_varint(in);
  if (depth <= 0 || !left) return false;
  while (*left > 0 && skip(in, depth - 1)) --*left;
  return *left == 0;
}

bool skip_members(std::string_view& in, int depth) {
  auto left = take_varint(in);
  if (depth <= 0 || !left) return false;
  while (*left > 0 && skip_bytes(in) && skip(in, depth - 1)) --*left;
  return *left == 0;
}

bool skip(std::string_view& in, int depth) {
  if (in.empty()) return false;
  const auto tag = static_cast<value_tag>(in.front());
  in.remove_prefix(1);
  switch (tag) {
    case value_tag::null:
    case value_tag::false_:
    case value_tag::true_:
      return true;
    case value_tag::integer:
      return take_varint(in).has_value();
    case value_tag::real:
      if (in.size() < 8) return false;
      in.remove_prefix(8);
      return true;
    case value_tag::text:
    case value_tag::bytes:
      return skip_bytes(in);
    case value_tag::list:
      return skip_elements(in, depth);
    case value_tag::map:
      return skip_members(in, depth);
  }
  return false;
}

/// What is behind the tag, if it is this one.
std::optional<std::string_view> behind(value_tag tag, std::string_view v) {
  if (v.empty() || static_cast<value_tag>(v.front()) != tag) return std::nullopt;
  return v.substr(1);
}

/// Of a value that is something else.
error wrong(std::string_view expected, std::string_view v) {
  const auto found = decode(v);
  return found ? wrong_kind(expected, *found) : found.error();
}

}  // namespace

result<value> unpack(std::string_view whole) {
  const value_limits its_own{.bytes = whole.size()};
  auto made = decode(whole, its_own);
  if (made && !whole.empty()) return broken();
  return made;
}

result<std::string_view> take_value(std::string_view& in) {
  auto rest = in;
  if (!skip(rest, value_limits{}.depth)) return broken();
  const auto taken = in.substr(0, in.size() - rest.size());
  in = rest;
  return taken;
}

result<std::vector<std::string_view>> packed_elements(std::string_view list) {
  auto in = behind(value_tag::list, list);
  if (!in) return wrong("a list", list);
  const auto count = take_varint(*in);
  if (!count) return broken();
  std::vector<std::string_view> elements;
  elements.reserve(std::min(*count, trusted_count));
  for (std::uint64_t i = 0; i < *count; ++i) {
    const auto element = take_value(*in);
    if (!element) return element.error();
    elements.push_back(*element);
  }
  return elements;
}

std::optional<std::string_view> packed_text(std::string_view v) {
  auto in = behind(value_tag::text, v);
  return in ? take_bytes(*in) : std::nullopt;
}

std::optional<std::int64_t> packed_integer(std::string_view v) {
  auto in = behind(value_tag::integer, v);
  const auto number = in ? take_varint(*in) : std::nullopt;
  if (!number) return std::nullopt;
  return unzigzag(*number);
}

packed_reader::packed_reader(std::string_view map) {
  auto in = behind(value_tag::map, map);
  const auto count = in ? take_varint(*in) : std::nullopt;
  if (!count) {
    failed_ = in ? broken() : wrong("a map", map);
    return;
  }
  members_.reserve(std::min(*count, trusted_count));
  for (std::uint64_t i = 0; i < *count && !failed_; ++i) {
    const auto name = take_bytes(*in);
    const auto member = name ? take_value(*in) : result<std::string_view>(broken());
    if (member)
      members_.emplace_back(*name, *member);
    else
      failed_ = member.error();
  }
}

std::optional<std::string_view> packed_reader::find(std::string_view name) const {
  const auto at = std::find_if(members_.begin(), members_.end(), [&](const auto& m) { return m.first == name; });
  if (at == members_.end() || behind(value_tag::null, at->second)) return std::nullopt;
  return at->second;
}

}  // namespace flock::internal
