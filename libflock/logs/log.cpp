#include <flock/log.hpp>

#include <array>
#include <unistd.h>
#include <utility>

namespace flock {

namespace {

constexpr std::array<std::pair<std::string_view, log_level>, 4> names{{{"debug", log_level::debug},
                                                                       {"info", log_level::info},
                                                                       {"warning", log_level::warning},
                                                                       {"error", log_level::error}}};

std::string quoted(std::string_view text) {
  static constexpr std::string_view digits = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (byte < 0x20 || byte == 0x7f) {
      out += "\\x";
      out += digits[byte >> 4];
      out += digits[byte & 15];
    } else {
      out += c;
    }
  }
  return out += '"';
}

}  // namespace

std::optional<log_level> log_level_from(std::string_view name) {
  for (const auto& [text, level] : names)
    if (text == name) return level;
  return {};
}

std::string logger::line(wall_time at, std::string_view level, std::string_view node, std::string_view text) {
  std::string out = "at=" + format_time(at) + " level=";
  out.append(level).append(" node=").append(node).append(" msg=").append(quoted(text));
  return out;
}

void logger::operator()(std::string_view level, std::string_view text) const {
  if (log_level_from(level).value_or(log_level::error) < from_) return;
  const auto out = line(time_.wall(), level, node_, text) + '\n';
  // A log that cannot be written is nothing that could be logged.
  if (::write(STDERR_FILENO, out.data(), out.size()) < 0) return;
}

}  // namespace flock
