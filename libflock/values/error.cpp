#include <flock/error.hpp>

#include <algorithm>
#include <array>
#include <ostream>

namespace flock {

namespace {

constexpr std::array<std::string_view, static_cast<std::size_t>(last_error_code)> code_names = {
    "not_found",   "bad_argument", "no_such_method", "refused",      "conflict",      "not_owner", "timeout",
    "unreachable", "maybe_done",   "down",           "session_lost", "shutting_down", "io",        "protocol"};

}  // namespace

std::string_view to_string(error_code code) {
  auto index = static_cast<std::size_t>(code) - 1;
  assert(index < code_names.size());
  return code_names[index];
}

std::optional<error_code> error_code_from(std::string_view name) {
  const auto* found = std::find(code_names.begin(), code_names.end(), name);
  if (found == code_names.end()) return std::nullopt;
  return static_cast<error_code>(found - code_names.begin() + 1);
}

error error::within(std::string_view context) const { return {code, std::string(context) + ": " + what}; }

std::ostream& operator<<(std::ostream& out, error_code code) { return out << to_string(code); }

std::ostream& operator<<(std::ostream& out, const error& e) { return out << e.code << ": " << e.what; }

std::string to_string(const error& e) { return std::string(to_string(e.code)) + ": " + e.what; }

}  // namespace flock
