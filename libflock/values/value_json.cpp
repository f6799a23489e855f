#include "libflock/values/presentable.hpp"
#include <flock/value.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace flock {

namespace {

using nlohmann::json;

constexpr std::string_view bytes_member = "$bytes";
constexpr std::string_view base64_digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::string to_base64(std::string_view bytes) {
  std::string out;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    auto three = bytes.substr(at, 3);
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < 3; ++i)
      bits = bits << 8U | (i < three.size() ? static_cast<unsigned char>(three[i]) : 0U);
    for (std::size_t i = 0; i < 4; ++i) out += i <= three.size() ? base64_digits[bits >> (18 - 6 * i) & 0x3fU] : '=';
  }
  return out;
}

std::optional<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  for (int padding = 0; padding < 2 && !text.empty() && text.back() == '='; ++padding) text.remove_suffix(1);
  std::string out;
  std::uint32_t bits = 0;
  int unused = 0;
  for (char c : text) {
    auto digit = base64_digits.find(c);
    if (digit == base64_digits.npos) return std::nullopt;
    bits = bits << 6U | static_cast<std::uint32_t>(digit);
    unused += 6;
    if (unused < 8) continue;
    unused -= 8;
    out += static_cast<char>(bits >> unused);
  }
  return out;
}

json to_dom(const value& v) {
  switch (v.type()) {
    case value::kind::null:
      return nullptr;
    case value::kind::boolean:
      return *v.as_bool();
    case value::kind::integer:
      return *v.as_int();
    case value::kind::real:
      return *v.as_real();  // one that is not finite is written as null
    case value::kind::text:
      return *v.as_text();
    case value::kind::bytes:
      return json{{std::string(bytes_member), to_base64(v.as_bytes()->data)}};
    case value::kind::list: {
      auto elements = json::array();
      for (const auto& element : *v.as_list()) elements.push_back(to_dom(element));
      return elements;
    }
    case value::kind::map: {
      auto members = json::object();
      for (const auto& [key, member] : *v.as_map()) members.emplace(key, to_dom(member));
      return members;
    }
  }
  return nullptr;
}

/// Walks over the text and says how far it is: the parser reports no position with what it finds.
struct counting_iterator {
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  const char* at;
  const char** reached;

  reference operator*() const { return *at; }
  counting_iterator& operator++() { return *reached = ++at, *this; }
  friend bool operator==(const counting_iterator& a, const counting_iterator& b) { return a.at == b.at; }
};

/// Builds a value from what the parser finds. Each function says whether to go on.
class builder {
 public:
  explicit builder(int depth) : depth_(static_cast<std::size_t>(std::max(depth, 0))) {}

  const std::optional<std::string>& wrong() const { return wrong_; }
  value& built() { return root_; }

  bool null() { return put({}); }
  bool boolean(bool b) { return put(b); }
  bool number_integer(std::int64_t n) { return put(n); }
  bool number_unsigned(std::uint64_t n) {
    return std::in_range<std::int64_t>(n) ? put(n) : put(static_cast<double>(n));
  }
  bool number_float(double d, const std::string&) { return put(d); }
  bool string(std::string& s) { return put(std::move(s)); }
  bool binary(json::binary_t&) { return fail("bytes"); }  // not in text
  bool start_array(std::size_t) { return open(value::list()); }
  bool start_object(std::size_t) { return open(value::map()); }
  bool end_array() { return close(); }

  bool key(std::string& name) {
    auto [member, is_new] = open_.back().members.try_emplace(std::move(name));
    member_ = &member->second;
    return is_new || fail("member \"" + member->first + "\" is there twice");
  }

  bool end_object() {
    auto& [to, members] = open_.back();
    if (members.size() == 1 && members.begin()->first == bytes_member) {
      const auto* text = members.begin()->second.as_text();
      auto bytes = text ? from_base64(*text) : std::nullopt;
      if (!bytes) return fail("$bytes is not base64");
      *to = blob{*std::move(bytes)};
    } else {
      auto& map = *to->as_map();
      map.reserve(members.size());
      for (auto& [name, member] : members) map.emplace(name, std::move(member));
    }
    return close();
  }

  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception& e) {
    // "[json.exception.parse_error.101] parse error at line 1, column 2: syntax error ..."
    std::string_view what = e.what();
    if (auto end = what.find("] "); end != what.npos) what.remove_prefix(end + 2);
    if (what.starts_with("parse error at ")) what.remove_prefix(what.find(": ") + 2);
    return fail(std::string(what));
  }

 private:
  value& place(value v) {
    if (open_.empty()) return root_ = std::move(v);
    if (auto* elements = open_.back().to->as_list()) return elements->emplace_back(std::move(v));
    return *member_ = std::move(v);
  }
  bool put(value v) { return place(std::move(v)), true; }
  bool open(value container) {
    if (open_.size() == depth_) return fail("nested more than " + std::to_string(depth_) + " levels deep");
    return open_.push_back({&place(std::move(container)), {}}), true;
  }
  bool close() { return open_.pop_back(), true; }
  bool fail(std::string why) { return wrong_ = internal::presentable(std::move(why)), false; }

  /// A list or map that has not ended.
  struct unfinished {
    value* to;                             // the last element of the one before, or its member_: it does not move
    std::map<std::string, value> members;  // of a map: they come in any order, and must not be there twice
  };

  std::size_t depth_;
  value root_;
  std::vector<unfinished> open_;
  value* member_ = nullptr;
  std::optional<std::string> wrong_;
};

/// Where the last token ends: "line 3, column 14", both from 1; a column is a byte.
std::string position(std::string_view read) {
  // A number ends where something else begins, perhaps on the next line.
  read = read.substr(0, read.find_last_not_of(" \t\r\n") + 1);
  auto line = 1 + std::count(read.begin(), read.end(), '\n');
  auto column = read.size() - (read.rfind('\n') + 1);  // npos + 1 is 0
  return "line " + std::to_string(line) + ", column " + std::to_string(std::max<std::size_t>(column, 1));
}

}  // namespace

std::string to_json(const value& v, int indent) {
  return to_dom(v).dump(indent, ' ', false, json::error_handler_t::replace);
}

result<value> from_json(std::string_view text, const value_limits& limits) {
  if (text.size() > limits.bytes) {
    return error{error_code::bad_argument, "JSON of " + std::to_string(text.size()) + " bytes; at most " +
                                               std::to_string(limits.bytes) + " are allowed"};
  }
  builder into(limits.depth);
  const char* begin = text.data();
  const char* reached = begin;
  bool good =
      json::sax_parse(counting_iterator{begin, &reached}, counting_iterator{begin + text.size(), &reached}, &into);
  if (good) return std::move(into.built());
  auto where = position(text.substr(0, static_cast<std::size_t>(reached - begin)));
  return error{error_code::bad_argument, where + ": " + into.wrong().value_or("not JSON")};
}

}  // namespace flock
