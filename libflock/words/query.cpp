#include "libflock/words/query.hpp"

#include "libflock/values/glob.hpp"
#include "libflock/values/presentable.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string>
#include <vector>

namespace flock {

namespace {

using condition = query::condition;
using text_test = std::function<bool(const std::string&)>;

condition all_of(std::vector<condition> parts) {
  if (parts.size() == 1) return std::move(parts.front());
  return [parts = std::move(parts)](const value& document) {
    return std::all_of(parts.begin(), parts.end(), [&](const condition& c) { return c(document); });
  };
}

condition any_of(std::vector<condition> parts) {
  if (parts.size() == 1) return std::move(parts.front());
  return [parts = std::move(parts)](const value& document) {
    return std::any_of(parts.begin(), parts.end(), [&](const condition& c) { return c(document); });
  };
}

condition negation(condition part) {
  return [part = std::move(part)](const value& document) { return !part(document); };
}

/// How a value is written in a query; nothing for what has no text.
std::optional<std::string> text_of(const value& v) {
  if (const auto* s = v.as_text()) return *s;
  if (const auto* b = v.as_bool()) return *b ? "true" : "false";
  if (const auto* i = v.as_int()) return std::to_string(*i);
  if (const auto* d = v.as_real()) {
    std::array<char, 32> digits{};  // the longest double has 24
    auto [end, failed] = std::to_chars(digits.data(), digits.data() + digits.size(), *d);
    return std::string(digits.data(), end);
  }
  return std::nullopt;
}

/// Whether a value, or an element of a list, passes.
bool passes(const value& v, const text_test& test) {
  if (const auto* elements = v.as_list()) {
    return std::any_of(elements->begin(), elements->end(), [&](const value& e) { return passes(e, test); });
  }
  auto text = text_of(v);
  return text && test(*text);
}

/// Whether something that the key names passes. As '_' also occurs within names, each way to split the key is tried.
bool holds(const value& v, std::string_view key, const std::function<bool(const value&)>& test) {
  if (key.empty()) return test(v);
  if (const auto* elements = v.as_list()) {
    return std::any_of(elements->begin(), elements->end(), [&](const value& e) { return holds(e, key, test); });
  }
  const auto* members = v.as_map();
  if (!members) return false;
  for (const auto& [name, member] : *members) {
    if (name.empty() || !key.starts_with(name)) continue;
    auto rest = key.substr(name.size());
    if (rest.empty() && test(member)) return true;
    if (rest.size() > 1 && (rest[0] == '_' || rest[0] == '.') && holds(member, rest.substr(1), test)) return true;
  }
  return false;
}

condition exists(std::string key) {
  return [key = std::move(key)](const value& document) {
    return holds(document, key, [](const value& v) { return !v.is_null(); });
  };
}

condition value_passes(std::string key, text_test test) {
  return [key = std::move(key), test = std::move(test)](const value& document) {
    return holds(document, key, [&](const value& v) { return passes(v, test); });
  };
}

std::optional<double> number_of(std::string_view text) {
  double number = 0;
  auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

struct range_end {
  std::optional<std::string> at;  // nothing: open
  bool included = true;
};

template <class T>
bool within(const T& v, const std::optional<T>& low, bool with_low, const std::optional<T>& high, bool with_high) {
  if (low && (v < *low || (!with_low && v == *low))) return false;
  return !high || v < *high || (with_high && v == *high);
}

text_test in_range(range_end low, range_end high) {
  auto low_number = low.at ? number_of(*low.at) : std::nullopt;
  auto high_number = high.at ? number_of(*high.at) : std::nullopt;
  bool of_numbers = (low.at || high.at) && low.at.has_value() == low_number.has_value() &&
                    high.at.has_value() == high_number.has_value();
  return [=, low = std::move(low), high = std::move(high)](const std::string& text) {
    if (!of_numbers) return within(text, low.at, low.included, high.at, high.included);
    auto number = number_of(text);
    return number && within(*number, low_number, low.included, high_number, high.included);
  };
}

/// Recursive descent; a method for each level of binding. The first error is kept and ends everything.
class parser {
 public:
  explicit parser(std::string_view text) : text_(text) {}

  result<condition> parse() {
    auto all = alternatives();
    if (!failed_ && at_ < text_.size()) fail("unexpected \")\"");
    if (failed_) return *failed_;
    return all;
  }

 private:
  enum class sign { none, required, excluded };

  struct clause {
    sign is;
    condition what;
  };

  static clause plain(clause c) {
    return {sign::none, c.is == sign::excluded ? negation(std::move(c.what)) : std::move(c.what)};
  }

  /// Clauses joined by OR or standing side by side. A sign means more than plain logic only side by side.
  condition alternatives() {
    std::vector<condition> needed, any;
    bool required = false, joined = false;
    do {
      clause c = conjunction();
      bool joined_before = joined;
      joined = word("OR") || symbol("||");
      if (joined_before || joined) c = plain(std::move(c));
      required = required || c.is == sign::required;
      auto& where = c.is == sign::none ? any : needed;
      where.push_back(plain(std::move(c)).what);
    } while (!failed_ && (joined || !at_end()));
    if (!required && !any.empty()) needed.push_back(any_of(std::move(any)));
    return all_of(std::move(needed));
  }

  clause conjunction() {
    clause first = signed_term();
    if (!and_follows()) return first;
    std::vector<condition> parts = {plain(std::move(first)).what};
    do parts.push_back(plain(signed_term()).what);
    while (and_follows());
    return {sign::none, all_of(std::move(parts))};
  }

  bool and_follows() { return !failed_ && (word("AND") || symbol("&&")); }

  clause signed_term() {
    sign is = sign::none;
    while (true) {
      if (word("NOT") || symbol("!") || symbol("-"))
        is = is == sign::excluded ? sign::none : sign::excluded;
      else if (symbol("+"))
        is = sign::required;
      else
        return {is, term()};
    }
  }

  condition term() {
    if (symbol("(")) return group();
    if (group_key_) return value_of(*group_key_);
    auto start = at_;
    std::string key = characters(" \t\r\n()\":");
    if (key.empty() || !symbol(":")) return fail("expected key:value", start);
    if (key == "*") {
      if (!symbol("*")) return fail("only *:* may have * for its key", start);
      return [](const value&) { return true; };
    }
    return value_of(unescape(key));
  }

  condition group() {
    constexpr int deepest = 64;  // deeper than any honest query, shallow enough for the stack
    if (++depth_ > deepest) return fail("more than 64 groups within each other");
    auto inside = alternatives();
    if (!symbol(")")) return fail("expected \")\"");
    --depth_;
    return inside;
  }

  condition value_of(const std::string& key) {
    if (symbol("(")) {
      auto outer = std::exchange(group_key_, key);
      auto inside = group();
      group_key_ = std::move(outer);
      return inside;
    }
    if (symbol("[")) return range(key, true);
    if (symbol("{")) return range(key, false);
    std::string pattern = next_is('"') ? escape_glob(quoted()) : characters(" \t\r\n()\"");
    if (pattern == "*") return exists(key);
    auto wanted = glob::parse(pattern);
    if (!wanted) return fail(wanted.error().what);
    return value_passes(key, [wanted = *std::move(wanted)](const std::string& text) { return wanted.fits(text); });
  }

  condition range(const std::string& key, bool with_low) {
    range_end low{end_of_range(), with_low};
    if (!word("TO")) return fail("expected TO");
    range_end high{end_of_range(), next_is(']')};
    if (!symbol("]") && !symbol("}")) return fail("expected ] or }");
    return value_passes(key, in_range(std::move(low), std::move(high)));
  }

  std::optional<std::string> end_of_range() {
    if (next_is('"')) return quoted();
    auto text = characters(" \t\r\n]}\"");
    if (text == "*") return std::nullopt;
    return unescape(text);
  }

  /// Everything up to one of `ends`, && or ||, with its backslashes; at least one character.
  std::string characters(std::string_view ends) {
    skip_space();
    auto start = at_;
    while (at_ < text_.size() && ends.find(text_[at_]) == ends.npos && !ahead("&&") && !ahead("||")) {
      at_ += text_[at_] == '\\' ? 2 : 1;
    }
    if (at_ > text_.size()) {
      at_ = text_.size();
      fail("nothing follows the backslash");
    }
    if (at_ == start) fail(start == text_.size() ? "expected more" : "unexpected \"" + one_character() + "\"");
    return std::string(text_.substr(start, at_ - start));
  }

  /// What stands within double quotes, without its backslashes.
  std::string quoted() {
    auto start = at_++;
    while (at_ < text_.size() && text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
    if (at_ >= text_.size()) {
      at_ = text_.size();
      fail("this quote has no end", start);
      return {};
    }
    ++at_;
    return unescape(text_.substr(start + 1, at_ - start - 2));
  }

  static std::string unescape(std::string_view text) {
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '\\' && i + 1 < text.size()) ++i;
      plain += text[i];
    }
    return plain;
  }

  void skip_space() { at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size()); }

  bool ahead(std::string_view what) const { return text_.substr(at_).starts_with(what); }

  bool next_is(char c) {
    skip_space();
    return at_ < text_.size() && text_[at_] == c;
  }

  bool at_end() {
    skip_space();
    return at_ == text_.size() || text_[at_] == ')';
  }

  bool symbol(std::string_view what) {
    skip_space();
    if (failed_ || !ahead(what)) return false;
    at_ += what.size();
    return true;
  }

  bool word(std::string_view what) {
    skip_space();
    if (failed_ || !ahead(what)) return false;
    auto after = at_ + what.size();
    if (after < text_.size() && std::string_view(" \t\r\n()\"").find(text_[after]) == text_.npos) return false;
    at_ = after;
    return true;
  }

  std::string one_character() const {
    auto size = std::size_t{1};
    while (at_ + size < text_.size() && continues(text_[at_ + size])) ++size;
    return std::string(text_.substr(at_, size));
  }

  static bool continues(char c) { return (static_cast<unsigned char>(c) & 0xc0U) == 0x80; }

  condition fail(const std::string& why) { return fail(why, at_); }

  condition fail(const std::string& why, std::size_t at) {
    if (!failed_) {
      auto before = text_.substr(0, at);
      auto column =
          1 + before.size() - static_cast<std::size_t>(std::count_if(before.begin(), before.end(), continues));
      failed_ = error{error_code::bad_argument, "column " + std::to_string(column) + ": " + why};
    }
    return [](const value&) { return false; };
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int depth_ = 0;
  std::optional<std::string> group_key_;  // within key:( )
  std::optional<error> failed_;
};

}  // namespace

result<query> query::parse(std::string_view text) {
  auto parsed = parser(text).parse();
  if (!parsed) return parsed.error().within(internal::presentable("query \"" + std::string(text) + "\""));
  return query(*std::move(parsed));
}

}  // namespace flock
