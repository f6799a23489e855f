#include "tools/flockctl/console.hpp"

#include <array>
#include <cstdio>
#include <utility>

namespace flock::ctl {
namespace {

// Lines of a terminal that does not say how many it has.
constexpr std::size_t usual_height = 20;

std::string joined(const value::list& elements) {
  std::string text;
  for (const auto& e : elements) text.append(text.empty() ? "" : ", ").append(cell(e));
  return text;
}

// An element of a list of objects has a line of its own.
void flatten(const std::string& name, const value& v, std::vector<detail>& lines) {
  if (const auto* members = v.as_map()) {
    for (const auto& [key, member] : *members) flatten(name.empty() ? key : name + "." + key, member, lines);
  } else if (const auto* elements = v.as_list(); elements && !elements->empty() && elements->front().as_map()) {
    for (const auto& e : *elements) lines.push_back({&e == &elements->front() ? name : "", cell(e)});
  } else if (auto text = cell(v); !text.empty()) {
    lines.push_back({name, std::move(text)});
  }
}

std::string bytes(std::int64_t n) {
  constexpr std::array<std::string_view, 5> units = {"B", "kB", "MB", "GB", "TB"};
  auto size = static_cast<double>(n);
  std::size_t unit = 0;
  for (; size >= 1024 && unit + 1 < units.size(); ++unit) size /= 1024;
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), unit == 0 ? "%.0f " : "%.1f ", size);
  return text.data() + std::string(units[unit]);
}

std::string seconds(std::int64_t n) {
  const auto two = [](std::int64_t large, const char* unit, std::int64_t small, const char* smaller) {
    return std::to_string(large) + unit + (small == 0 ? "" : " " + std::to_string(small) + smaller);
  };
  if (n < 60) return std::to_string(n) + " s";
  if (n < 3600) return two(n / 60, " min", n % 60, " s");
  if (n < 24 * 3600) return two(n / 3600, " h", n / 60 % 60, " min");
  return two(n / (24 * 3600), " d", n / 3600 % 24, " h");
}

std::vector<std::string> cells_of(const value& object, const std::vector<column>& columns) {
  std::vector<std::string> cells;
  for (const auto& c : columns) cells.push_back(harmless(readable(object.at_path(c.member), c.in)));
  return cells;
}

std::vector<std::string> titles_of(const std::vector<column>& columns) {
  std::vector<std::string> titles;
  for (const auto& c : columns) titles.emplace_back(c.title);
  return titles;
}

std::vector<std::vector<std::string>> rows_of(const value::list& objects, const std::vector<column>& columns) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& o : objects) rows.push_back(cells_of(o, columns));
  return rows;
}

}  // namespace

void console::rows(const value::list& objects, const std::vector<column>& columns, std::string_view none) {
  if (form_.json) {
    for (const auto& o : objects) data_ << to_json(o) << '\n';
    return;
  }
  if (objects.empty()) return say(none);
  data_ << render({titles_of(columns), rows_of(objects, columns)}, form_.width, form_.color);
}

void console::object(const value& o, const std::vector<std::string>& leading) {
  if (form_.json || !o.as_map())
    data_ << to_json(o, form_.json ? -1 : 2) << '\n';
  else
    object(o, details_of(o, leading));
}

void console::object(const value& o, const std::vector<detail>& details) {
  if (form_.json)
    data_ << to_json(o) << '\n';
  else
    data_ << render(details, form_.color);
}

void console::line(std::string_view text) { data_ << text << std::endl; }

void console::say(std::string_view text) { talk_ << "flockctl: " << text << '\n'; }

console::growing_rows::growing_rows(console& c, std::vector<column> columns, const value::list& samples)
    : console_(c),
      columns_(std::move(columns)),
      table_(titles_of(columns_), rows_of(samples, columns_), c.form_.width, c.form_.color) {}

void console::growing_rows::add(const value& object) {
  auto& data = console_.data_;
  if (console_.json()) {
    data << to_json(object) << std::endl;
    return;
  }
  if (!std::exchange(begun_, true)) data << table_.head();
  data << table_.row(cells_of(object, columns_)) << std::flush;
}

console::waiting::waiting(console& c, std::string_view what) : console_(c) {
  if (c.form_.progress) c.talk_ << what << " ..." << std::flush;
}

console::waiting::~waiting() {
  // Back to the line's start, and clear it.
  if (console_.form_.progress) console_.talk_ << "\r\033[K" << std::flush;
}

void console::board::show(const std::vector<std::string>& lines) {
  hide();
  const auto& form = console_.form_;
  if (!form.progress) return;
  const auto room = form.talk_height > 2 ? form.talk_height - 2 : usual_height;
  const auto whole = lines.size() <= room ? lines.size() : room - 1;
  const auto print = [&](std::string text) {
    // A line that is broken in two would not be cleared.
    if (form.talk_width > 0 && text.size() >= form.talk_width) text.resize(form.talk_width - 1);
    console_.talk_ << text << '\n';
    ++shown_;
  };
  for (std::size_t i = 0; i < whole; ++i) print(harmless(lines[i]));
  if (whole < lines.size()) print("and " + std::to_string(lines.size() - whole) + " more");
  console_.talk_ << std::flush;
}

void console::board::hide() {
  // Up to its first line, and clear all from there.
  if (shown_ > 0) console_.talk_ << "\033[" << std::exchange(shown_, 0) << "A\033[J" << std::flush;
}

std::vector<detail> details_of(const value& o, const std::vector<std::string>& leading) {
  std::vector<detail> lines;
  auto others = *o.as_map();
  for (const auto& name : leading) {
    flatten(name, o[name], lines);
    others.erase(name);
  }
  flatten({}, others, lines);
  return lines;
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

std::string readable(const value& v, unit in) {
  const auto* number = v.as_int();
  if (!number || in == unit::none) return cell(v);
  return in == unit::bytes ? bytes(*number) : seconds(*number);
}

}  // namespace flock::ctl
