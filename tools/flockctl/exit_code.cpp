#include "tools/flockctl/exit_code.hpp"

#include "libflock/words/notification.hpp"

#include <algorithm>
#include <vector>

namespace flock::ctl {
namespace {

exit_code exit_code_of_failure(const value& notification) {
  const auto* name = notification["error"]["code"].as_text();
  const auto code = name ? error_code_from(*name) : std::nullopt;
  if (!code) return exit_code::some_failed;
  const auto mapped = exit_code_of(*code);
  return mapped == exit_code::no_target || mapped == exit_code::denied ? mapped : exit_code::some_failed;
}

exit_code exit_code_of_one(const value& notification, until_state waited_for) {
  const auto* name = notification["state"].as_text();
  const auto state = name ? receipt_state_from(*name) : std::nullopt;
  if (!state || *state == receipt_state::unknown) return exit_code::timed_out;
  if (*state == receipt_state::succeeded) return exit_code::ok;
  // It may be kept or not: the disk has not confirmed it.
  if (notification["error"]["code"] == value(to_string(error_code::maybe_done))) return exit_code::timed_out;
  if (is_terminal(*state)) return exit_code_of_failure(notification);
  const bool enough =
      waited_for == until_state::any || (waited_for == until_state::accepted && *state != receipt_state::queued);
  return enough ? exit_code::ok : exit_code::timed_out;
}

}  // namespace

exit_code exit_code_of(error_code why) {
  switch (why) {
    case error_code::not_found:
      return exit_code::no_target;
    case error_code::bad_argument:
      return exit_code::usage;
    case error_code::no_such_method:
      return exit_code::no_target;
    case error_code::refused:
      return exit_code::denied;
    case error_code::conflict:
      return exit_code::some_failed;
    case error_code::not_owner:
      return exit_code::not_locked;
    case error_code::timeout:
      return exit_code::timed_out;
    case error_code::unreachable:
      return exit_code::unreachable;
    case error_code::maybe_done:
      return exit_code::timed_out;
    case error_code::down:
      return exit_code::some_failed;
    case error_code::session_lost:
      return exit_code::unreachable;
    case error_code::shutting_down:
      return exit_code::unreachable;
    case error_code::io:
      return exit_code::some_failed;
    case error_code::protocol:
      return exit_code::some_failed;
  }
  return exit_code::some_failed;
}

exit_code exit_code_of(const value::list& notifications, until_state waited_for) {
  std::vector<exit_code> all;
  for (const auto& n : notifications) all.push_back(exit_code_of_one(n, waited_for));
  if (all.empty()) return exit_code::ok;
  if (std::count(all.begin(), all.end(), all.front()) == static_cast<std::ptrdiff_t>(all.size())) return all.front();
  const auto surely_failed = [](exit_code c) { return c != exit_code::ok && c != exit_code::timed_out; };
  return std::any_of(all.begin(), all.end(), surely_failed) ? exit_code::some_failed : exit_code::timed_out;
}

}  // namespace flock::ctl
