#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace flock::ctl {

/// Columns a terminal needs for a UTF-8 text: two for wide characters, none for combining ones.
std::size_t display_width(std::string_view text);

/// At most so many columns of it, the last one "…" if something is missing.
std::string shortened(std::string_view text, std::size_t width);

/// Control characters as spaces: what comes from elsewhere must not drive the terminal.
std::string harmless(std::string_view text);

struct table {
  std::vector<std::string> titles;
  std::vector<std::vector<std::string>> rows;  ///< as many cells as titles
};

/// In aligned columns, a line for each row. Columns without any content are left out.
///
/// \param width  of the terminal: the widest columns but the first, which names things, give way to fit it; 0 for as
///               wide as it gets
/// \param color  what states mean is shown in color
std::string render(const table& t, std::size_t width, bool color);

/// A table whose rows are shown as they come: each column is as wide as its samples, the last one as wide as it gets.
class growing_table {
 public:
  growing_table(std::vector<std::string> titles, const std::vector<std::vector<std::string>>& samples,
                std::size_t width, bool color);

  std::string head() const;
  std::string row(const std::vector<std::string>& cells) const;

 private:
  std::vector<std::string> titles_;
  std::vector<std::size_t> widths_;
  bool color_;
};

/// One of the things that are told of a single object.
struct detail {
  std::string label;
  std::string text;  ///< may have many lines
};

/// A line for each, the texts aligned and free of control characters. A text that is a state is shown in color.
std::string render(const std::vector<detail>& details, bool color);

/// Texts in aligned columns, for a detail.
std::string aligned(const std::vector<std::vector<std::string>>& rows);

}  // namespace flock::ctl
