#include <flock/registry.hpp>

#include <array>
#include <cassert>

namespace flock {

namespace {

constexpr std::array<std::string_view, static_cast<std::size_t>(last_session_state)> state_names = {
    "connecting", "ready", "suspended", "lost"};

}  // namespace

std::string_view to_string(session_state s) {
  auto index = static_cast<std::size_t>(s) - 1;
  assert(index < state_names.size());
  return state_names[index];
}

}  // namespace flock
