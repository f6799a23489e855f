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

}  // namespace flock::ctl
