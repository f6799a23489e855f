#include "tools/flockctl/table.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <numeric>
#include <utility>

namespace flock::ctl {
namespace {

constexpr std::string_view gap = "  ";
// A column that gives way keeps enough to recognise what it holds.
constexpr std::size_t narrowest = 8;

struct character {
  std::uint32_t code;
  std::size_t bytes;
};

// The first of a text that is not empty. A broken sequence is one character for each of its bytes.
character first_of(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const std::uint32_t lead = byte(0);
  const std::size_t size = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
  if (size == 1 || size > text.size()) return {lead, 1};
  std::uint32_t code = lead & (0xffU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0U) != 0x80) return {lead, 1};
    code = code << 6 | (byte(i) & 0x3fU);
  }
  return {code, size};
}

bool is_in(std::uint32_t code, const auto& ranges) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [&](const auto& range) { return code >= range.first && code <= range.second; });
}

// Source: Unicode's EastAsianWidth.txt (W and F) and general category Mn, as far as names of things are likely to go.
std::size_t width_of(std::uint32_t code) {
  using range = std::pair<std::uint32_t, std::uint32_t>;
  static constexpr std::array<range, 5> combining = {
      {{0x300, 0x36f}, {0x200b, 0x200f}, {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}}};
  static constexpr std::array<range, 9> wide = {{{0x1100, 0x115f},
                                                 {0x2e80, 0xa4cf},
                                                 {0xac00, 0xd7a3},
                                                 {0xf900, 0xfaff},
                                                 {0xfe30, 0xfe6f},
                                                 {0xff00, 0xff60},
                                                 {0xffe0, 0xffe6},
                                                 {0x1f300, 0x1f9ff},
                                                 {0x20000, 0x3fffd}}};
  if (is_in(code, combining)) return 0;
  return is_in(code, wide) ? 2 : 1;
}

std::string_view color_of(std::string_view cell) {
  static constexpr std::array<std::string_view, 4> good = {"alive", "succeeded", "updated", "connected"};
  static constexpr std::array<std::string_view, 4> doubtful = {"suspect", "unknown", "queued", "suspended"};
  static constexpr std::array<std::string_view, 4> bad = {"dead", "failed", "expired", "cancelled"};
  const auto is_one_of = [&](const auto& names) { return std::find(names.begin(), names.end(), cell) != names.end(); };
  if (is_one_of(good)) return "\033[32m";
  if (is_one_of(doubtful)) return "\033[33m";
  return is_one_of(bad) ? "\033[31m" : "";
}

std::vector<std::size_t> natural_widths(const table& t) {
  std::vector<std::size_t> widths(t.titles.size(), 0);
  for (const auto& row : t.rows)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], display_width(row[i]));
  for (std::size_t i = 0; i < widths.size(); ++i)
    if (widths[i] > 0) widths[i] = std::max(widths[i], display_width(t.titles[i]));
  return widths;
}

void fit(std::vector<std::size_t>& widths, std::size_t limit) {
  const auto columns =
      static_cast<std::size_t>(std::count_if(widths.begin(), widths.end(), [](auto w) { return w > 0; }));
  auto needed = std::accumulate(widths.begin(), widths.end(), columns == 0 ? 0 : (columns - 1) * gap.size());
  while (needed > limit) {
    const auto widest = std::max_element(widths.begin() + 1, widths.end());
    if (widest == widths.end() || *widest <= narrowest) return;
    --*widest;
    --needed;
  }
}

std::string tinted(std::string_view text, bool color) {
  const auto tint = color ? color_of(text) : std::string_view();
  return tint.empty() ? std::string(text) : std::string(tint).append(text).append("\033[0m");
}

// Each line of it, indented but the first.
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

std::string line(const std::vector<std::string>& cells, const std::vector<std::size_t>& widths, bool color) {
  std::string text;
  std::size_t owed = 0;  // spaces before the next cell; none end a line
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (widths[i] == 0) continue;
    const auto cell = shortened(cells[i], widths[i]);
    if (!cell.empty()) text.append(std::exchange(owed, 0), ' ').append(tinted(cell, color));
    owed += widths[i] - display_width(cell) + gap.size();
  }
  return text + '\n';
}

}  // namespace

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    const auto next = first_of(text);
    width += width_of(next.code);
    text.remove_prefix(next.bytes);
  }
  return width;
}

std::string shortened(std::string_view text, std::size_t width) {
  if (display_width(text) <= width) return std::string(text);
  std::string kept;
  std::size_t left = width - std::min<std::size_t>(width, 1);
  while (!text.empty()) {
    const auto next = first_of(text);
    if (width_of(next.code) > left) break;
    left -= width_of(next.code);
    kept += text.substr(0, next.bytes);
    text.remove_prefix(next.bytes);
  }
  return width == 0 ? kept : kept + "…";
}

std::string harmless(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto next = first_of(text);
    const bool controls = next.code < 0x20 || (next.code >= 0x7f && next.code < 0xa0);
    out += controls ? " " : text.substr(0, next.bytes);
    text.remove_prefix(next.bytes);
  }
  return out;
}

std::string render(const table& t, std::size_t width, bool color) {
  auto widths = natural_widths(t);
  if (width > 0) fit(widths, width);
  std::string text = line(t.titles, widths, false);
  for (const auto& row : t.rows) text += line(row, widths, color);
  return text;
}

growing_table::growing_table(std::vector<std::string> titles, const std::vector<std::vector<std::string>>& samples,
                             std::size_t width, bool color)
    : titles_(std::move(titles)), widths_(natural_widths({titles_, samples})), color_(color) {
  // What is left of the terminal, or all there is.
  const auto others = std::accumulate(widths_.begin(), widths_.end() - 1, (widths_.size() - 1) * gap.size());
  const auto title = display_width(titles_.back());
  widths_.back() = width == 0 ? static_cast<std::size_t>(-1) / 2 : std::max(width, others + title) - others;
}

std::string growing_table::head() const { return line(titles_, widths_, false); }
std::string growing_table::row(const std::vector<std::string>& cells) const { return line(cells, widths_, color_); }

std::string render(const std::vector<detail>& details, bool color) {
  std::size_t width = 0;
  for (const auto& d : details) width = std::max(width, display_width(d.label));
  std::string text;
  for (const auto& d : details) {
    const auto shown = indented(d.text, width + gap.size());
    const auto padding = std::string(width - display_width(d.label) + gap.size(), ' ');
    text.append(harmless(d.label)).append(padding).append(tinted(shown, color)).append("\n");
  }
  return text;
}

std::string aligned(const std::vector<std::vector<std::string>>& rows) {
  if (rows.empty()) return {};
  table t{std::vector<std::string>(rows.front().size()), rows};
  for (auto& row : t.rows)
    for (auto& cell : row) cell = harmless(cell);
  const auto widths = natural_widths(t);
  std::string text;
  for (const auto& row : t.rows) text += line(row, widths, false);
  return text;
}

}  // namespace flock::ctl
