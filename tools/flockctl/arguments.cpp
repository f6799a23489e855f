#include "tools/flockctl/arguments.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace flock::ctl {
namespace {

error wrong(std::string what) { return {error_code::bad_argument, std::move(what)}; }

// How many characters must be inserted, removed or replaced to make one of the other.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    auto diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const auto replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row.back();
}

const option* find(const std::vector<option>& known, std::string_view name) {
  const auto found = std::find_if(known.begin(), known.end(), [&](const option& o) { return o.name == name; });
  return found == known.end() ? nullptr : &*found;
}

bool has_choices(std::string_view value) { return value.find('|') != std::string_view::npos; }

bool is_choice(std::string_view choices, std::string_view text) {
  if (!has_choices(choices)) return true;
  while (!choices.empty()) {
    const auto choice = choices.substr(0, choices.find('|'));
    if (choice == text) return true;
    choices.remove_prefix(std::min(choice.size() + 1, choices.size()));
  }
  return false;
}

error unknown_option(const std::string& word, std::string_view name, const std::vector<option>& known) {
  const auto unknown = "unknown option " + word;
  for (const auto& o : known)
    if (has_choices(o.value) && is_choice(o.value, name))
      return wrong(unknown + "; did you mean --" + std::string(o.name) + " " + std::string(name) + "?");
  std::vector<std::string_view> names;
  for (const auto& o : known) names.push_back(o.name);
  const auto meant = nearest(name, names);
  return wrong(unknown + (meant ? "; did you mean --" + std::string(*meant) + "?" : ""));
}

error no_choice(const option& o, const std::string& text) {
  return wrong("--" + std::string(o.name) + " is one of " + std::string(o.value) + ", not " +
               (text.empty() ? "\"\"" : text));
}

result<void> add(arguments& to, const option& o, std::string text) {
  const auto name = "--" + std::string(o.name);
  if (!is_choice(o.value, text)) return no_choice(o, text);
  auto& texts = to.options[std::string(o.name)];
  if (!texts.empty() && !o.repeats) return wrong(name + " is given more than once");
  texts.push_back(std::move(text));
  return {};
}

}  // namespace

std::optional<std::string> arguments::one(std::string_view option) const {
  const auto found = options.find(option);
  return found == options.end() ? std::nullopt : std::optional(found->second.front());
}

std::vector<std::string> arguments::all(std::string_view option) const {
  const auto found = options.find(option);
  return found == options.end() ? std::vector<std::string>() : found->second;
}

result<arguments> parse_arguments(const std::vector<std::string>& words, const std::vector<option>& known) {
  arguments parsed;
  for (auto word = words.begin(); word != words.end(); ++word) {
    if (*word == "--") {
      parsed.operands.insert(parsed.operands.end(), word + 1, words.end());
      break;
    }
    const auto spelt = *word == "-h" ? std::string("--help") : *word;
    if (spelt.substr(0, 2) != "--") {
      parsed.operands.push_back(*word);
      continue;
    }
    const auto equals = spelt.find('=');
    const auto name = spelt.substr(2, equals == std::string::npos ? equals : equals - 2);
    const auto* o = find(known, name);
    if (!o) return unknown_option(*word, name, known);
    std::string text;
    if (equals != std::string::npos) {
      if (o->value.empty()) return wrong("--" + name + " takes no value");
      text = spelt.substr(equals + 1);
    } else if (!o->alone.empty() && (word + 1 == words.end() || !is_choice(o->value, *(word + 1)))) {
      text = o->alone;
      if (word + 1 != words.end() && !(word + 1)->starts_with("-")) parsed.doubt = no_choice(*o, *(word + 1));
    } else if (!o->value.empty()) {
      if (++word == words.end()) return wrong("--" + name + " needs a value: " + std::string(o->value));
      text = *word;
    }
    if (auto added = add(parsed, *o, std::move(text)); !added) return added.error();
  }
  return parsed;
}

std::optional<std::string_view> nearest(std::string_view word, const std::vector<std::string_view>& known) {
  if (word.empty()) return std::nullopt;
  std::optional<std::string_view> best;
  // Further away it is another word, not a misspelt one.
  auto best_distance = std::max<std::size_t>((word.size() + 1) / 3, 1) + 1;
  for (const auto candidate : known) {
    const auto d = candidate.substr(0, word.size()) == word ? 0 : distance(word, candidate);
    if (d < best_distance) {
      best = candidate;
      best_distance = d;
    }
  }
  return best;
}

}  // namespace flock::ctl
