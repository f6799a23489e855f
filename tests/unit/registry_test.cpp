#include <flock/registry.hpp>

#include <doctest/doctest.h>

#include <string>

TEST_CASE("each state of the registry's session has its name") {
  using flock::session_state;
  std::string names;
  for (int number = 1; number <= static_cast<int>(flock::last_session_state); ++number) {
    names += std::string(to_string(static_cast<session_state>(number))) + " ";
  }

  CHECK(flock::last_session_state == session_state::lost);
  CHECK(names == "connecting ready suspended lost ");
}
