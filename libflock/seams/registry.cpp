#include "libflock/seams/registry.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <iterator>

namespace flock {

namespace {

constexpr std::array<std::string_view, static_cast<std::size_t>(last_session_state)> state_names = {
    "connecting", "ready", "suspended", "lost"};

}  // namespace

/// A name that is in one of the lists alone took at least one change, and what was replaced at least two; so if there
/// were only as many changes as such names, there was nothing else.
bool nothing_was_replaced(const registry_list& before, const registry_list& now) {
  if (before.created != now.created) return false;
  std::vector<std::string> differences;
  std::ranges::set_symmetric_difference(before.names, now.names, std::back_inserter(differences));
  return now.changes - before.changes == static_cast<std::int64_t>(differences.size());
}

std::string_view to_string(session_state s) {
  auto index = static_cast<std::size_t>(s) - 1;
  assert(index < state_names.size());
  return state_names[index];
}

}  // namespace flock
