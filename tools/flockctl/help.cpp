#include "tools/flockctl/help.hpp"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <utility>
#include <vector>

namespace flock::ctl {

namespace {

constexpr std::size_t page_width = 80;

// Names that are longer stand on a line of their own.
constexpr std::size_t name_width = 26;

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const auto end = std::min(text.find(' '), text.size());
    if (end > 0) words.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

std::vector<std::string> wrapped(std::string_view text, std::size_t width) {
  std::vector<std::string> lines;
  for (const auto& word : words_of(text)) {
    const bool fits = !lines.empty() && lines.back().size() + 1 + word.size() <= width;
    if (fits)
      lines.back().append(" ").append(word);
    else
      lines.push_back(word);
  }
  return lines;
}

std::string paragraph(std::string_view text) {
  std::string out;
  for (const auto& line : wrapped(text, page_width)) out.append(line).append("\n");
  return out;
}

std::vector<std::string_view> paragraphs_of(std::string_view text) {
  std::vector<std::string_view> all;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    all.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return all;
}

struct entry {
  std::string name;
  std::string_view does;
};

/// Names and what they are for, in two columns.
std::string listed(const std::vector<entry>& entries) {
  std::size_t width = 0;
  for (const auto& e : entries)
    if (e.name.size() <= name_width) width = std::max(width, e.name.size());
  std::string text;
  const std::string margin(width + 4, ' ');
  for (const auto& e : entries) {
    text.append("  ").append(e.name);
    bool first = e.name.size() <= width;
    if (!first) text.append("\n");
    for (const auto& line : wrapped(e.does, page_width - margin.size())) {
      text.append(first ? std::string(width - e.name.size() + 2, ' ') : margin).append(line).append("\n");
      first = false;
    }
  }
  return text;
}

std::string value_shown(const option& o) { return std::string(o.shown.empty() ? o.value : o.shown); }

entry entry_of(const option& o) {
  return {"--" + std::string(o.name) + (o.value.empty() ? "" : " ") + value_shown(o), o.does};
}

std::string choices_of(const option& o) {
  std::string text(o.value);
  for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos;) text.replace(at, 1, ", ");
  return text;
}

std::string listed(const std::vector<const option*>& all) {
  std::vector<entry> entries;
  std::vector<std::string> notes;
  for (const auto* o : all) {
    entries.push_back(entry_of(*o));
    if (!o->shown.empty()) notes.push_back("\n" + paragraph(std::string(o->shown) + " is " + choices_of(*o) + "."));
  }
  auto text = listed(entries);
  for (const auto& n : notes) text += n;
  return text;
}

std::vector<const option*> for_all_commands(bool with_version) {
  std::vector<const option*> all;
  for (const auto name : common_options()) all.push_back(find_option(name));
  if (with_version) all.push_back(find_option("version"));
  return all;
}

std::string capitalized(std::string_view text) {
  std::string out(text);
  if (!out.empty()) out[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(out[0])));
  return out;
}

// troff.

std::string escaped(std::string_view text) {
  std::string out;
  if (text.starts_with('.') || text.starts_with('\'')) out += "\\&";
  for (const char c : text) {
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else
      out += c;
  }
  return out;
}

std::string bold(std::string_view text) { return "\\fB" + escaped(text) + "\\fR"; }
std::string italic(std::string_view text) { return "\\fI" + escaped(text) + "\\fR"; }

std::string heading(const command& c) {
  const auto usage = c.usage();
  auto text = bold(c.name) + (usage.size() > c.name.size() ? " " + italic(usage.substr(c.name.size() + 1)) : "");
  for (const auto* o : c.own_options()) {
    if (std::find(c.options.begin(), c.options.end(), o->name) == c.options.end()) continue;  // of the location
    text += " [" + bold("--" + std::string(o->name)) + (o->value.empty() ? "" : " " + italic(value_shown(*o))) + "]";
  }
  return text;
}

std::string manual_of(const command& c) {
  auto text = ".TP\n" + heading(c) + "\n" + escaped(capitalized(c.does)) + ".\n";
  bool first = true;
  for (const auto p : paragraphs_of(c.more)) {
    if (!std::exchange(first, false)) text += ".IP\n";
    for (const auto& line : wrapped(p, 120)) text += escaped(line) + "\n";
  }
  if (!c.examples.empty()) {
    text += ".IP\n.EX\n";
    for (const auto e : c.examples) text += escaped(e) + "\n";
    text += ".EE\n";
  }
  return text;
}

}  // namespace

std::string help() {
  std::vector<entry> lines;
  for (const auto& c : commands()) lines.push_back({c.usage(), c.does});
  return "usage: flockctl [OPTION...] COMMAND [ARGUMENT...]\n\nTalks to the flockd of this machine.\n\n" +
         listed(lines) + "\n" + listed(for_all_commands(true)) + "\n" +
         paragraph(
             "LOCATION is --node ID, or any of --role R, --recipe R, --environment E and --query Q. \"flockctl "
             "help COMMAND\" tells more of one.") +
         "\n" +
         paragraph(
             "Exit status: 0 all well, 1 some target failed, 2 usage, 3 timed out or outcome unknown, 4 no such "
             "target, 5 denied, 6 daemon or registry not reachable, 7 lock not obtained.");
}

std::string help(const command& of) {
  std::string text = "usage: flockctl ";
  const auto own = of.own_options();
  text += std::string(of.name) + (own.empty() ? "" : " [OPTION...]") + of.usage().substr(of.name.size()) + "\n\n";
  text += paragraph("flockctl " + std::string(of.name) + " " + std::string(of.does) + ".");
  for (const auto p : paragraphs_of(of.more)) text += paragraph(p);
  if (!own.empty()) text += "\n" + listed(own);
  text += "\n" + listed(for_all_commands(false));
  if (!of.examples.empty()) text += "\nFor example:\n";
  for (const auto e : of.examples) text.append("  ").append(e).append("\n");
  return text;
}

std::string help_of_word(std::string_view word) {
  std::vector<entry> lines;
  for (const auto& c : commands())
    if (c.name.substr(0, c.name.find(' ')) == word) lines.push_back({c.usage(), c.does});
  if (lines.empty()) return "";
  return "usage: flockctl [OPTION...] " + std::string(word) + " ...\n\n" + listed(lines);
}

std::string manual_of_commands() {
  std::string text;
  for (const auto& c : commands()) text += manual_of(c);
  return text + ".TP\n" + bold("help") + " [" + italic("COMMAND") + "]\nTells more of a command.\n";
}

}  // namespace flock::ctl
