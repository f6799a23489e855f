#include "tools/flockctl/console.hpp"

#include <utility>

namespace flock::ctl {
namespace {

std::string joined(const value::list& elements) {
  std::string text;
  for (const auto& e : elements) text.append(text.empty() ? "" : ", ").append(cell(e));
  return text;
}

// {"kernel":{"release":"6.1"}} -> {"kernel.release", "6.1"}; an element of a list of objects has a line of its own
void flatten(const std::string& name, const value& v, std::vector<std::vector<std::string>>& lines) {
  if (const auto* members = v.as_map()) {
    for (const auto& [key, member] : *members) flatten(name.empty() ? key : name + "." + key, member, lines);
  } else if (const auto* elements = v.as_list(); elements && !elements->empty() && elements->front().as_map()) {
    for (const auto& e : *elements) lines.push_back({&e == &elements->front() ? name : "", cell(e)});
  } else if (auto text = cell(v); !text.empty()) {
    lines.push_back({name, std::move(text)});
  }
}

// Texts of many lines, such as the output of a command, keep them.
std::string indented(std::string_view text, std::size_t by) {
  std::string out;
  for (;;) {
    const auto end = text.find('\n');
    out += harmless(text.substr(0, end));
    if (end == std::string_view::npos || end + 1 == text.size()) return out;
    out.append(1, '\n').append(by, ' ');
    text.remove_prefix(end + 1);
  }
}

}  // namespace

void console::rows(const value::list& objects, const std::vector<column>& columns) {
  if (form_.json) {
    for (const auto& o : objects) data_ << to_json(o) << '\n';
    return;
  }
  table t;
  for (const auto& c : columns) t.titles.emplace_back(c.title);
  for (const auto& o : objects) {
    auto& row = t.rows.emplace_back();
    for (const auto& c : columns) row.push_back(harmless(cell(o[c.member])));
  }
  if (!t.rows.empty()) data_ << render(t, form_.width, form_.color);
}

void console::object(const value& o, const std::vector<std::string>& leading) {
  if (form_.json || !o.as_map()) {
    data_ << to_json(o, form_.json ? -1 : 2) << '\n';
    return;
  }
  std::vector<std::vector<std::string>> lines;
  auto others = *o.as_map();
  for (const auto& name : leading) {
    flatten(name, o[name], lines);
    others.erase(name);
  }
  flatten({}, others, lines);
  std::size_t width = 0;
  for (const auto& line : lines) width = std::max(width, display_width(line[0]));
  for (const auto& line : lines)
    data_ << harmless(line[0]) << std::string(width - display_width(line[0]) + 2, ' ') << indented(line[1], width + 2)
          << '\n';
}

void console::line(std::string_view text) { data_ << text << std::endl; }

void console::say(std::string_view text) { talk_ << "flockctl: " << text << '\n'; }

console::waiting::waiting(console& c, std::string_view what) : console_(c) {
  if (c.form_.progress) c.talk_ << what << " ..." << std::flush;
}

console::waiting::~waiting() {
  // Back to the line's start, and clear it.
  if (console_.form_.progress) console_.talk_ << "\r\033[K" << std::flush;
}

std::string cell(const value& v) {
  if (v.is_null()) return {};
  if (const auto* text = v.as_text()) return *text;
  if (const auto* elements = v.as_list()) return joined(*elements);
  const auto* members = v.as_map();
  if (!members) return to_json(v);
  if (const auto* name = v["name"].as_text()) return *name;  // a method
  for (const char* told : {"message", "what"})
    if (const auto* text = v[told].as_text()) return *text;  // an error
  std::string text;
  for (const auto& [name, member] : *members)
    if (!member.is_null()) text.append(text.empty() ? "" : " ").append(name).append("=").append(cell(member));
  return text;
}

}  // namespace flock::ctl
