#include "libflock/seams/registry.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <vector>

TEST_CASE("each state of the registry's session has its name") {
  using flock::session_state;
  std::string names;
  for (int number = 1; number <= static_cast<int>(flock::last_session_state); ++number) {
    names += std::string(to_string(static_cast<session_state>(number))) + " ";
  }

  CHECK(flock::last_session_state == session_state::lost);
  CHECK(names == "connecting ready suspended lost ");
}

TEST_CASE("two lists tell whether what stands in both of them was there all the time") {
  using flock::nothing_was_replaced;
  const flock::registry_list before{{"a", "b"}, 7, 10};

  CHECK(nothing_was_replaced(before, before));
  CHECK(nothing_was_replaced(before, {{"a", "b", "c"}, 7, 11}));
  CHECK(nothing_was_replaced(before, {{"a"}, 7, 11}));
  CHECK(nothing_was_replaced(before, {{"c"}, 7, 13}));
  CHECK_FALSE(nothing_was_replaced(before, {{"a", "b"}, 7, 12}));
  CHECK_FALSE(nothing_was_replaced(before, {{"a", "b", "c"}, 7, 13}));
  CHECK_FALSE(nothing_was_replaced(before, {{"a"}, 7, 13}));
  CHECK_FALSE(nothing_was_replaced(before, {{"a", "b"}, 8, 10}));
  CHECK_FALSE(nothing_was_replaced({}, before));
}

TEST_CASE("two lists with any changes between them are never wrong about what was replaced") {
  // Each change adds or removes one of three names; all orders of six of them.
  const std::vector<std::string> all{"a", "b", "c"};
  for (int order = 0; order < 729; ++order) {
    std::set<std::string> names{"a"};
    std::set<std::string> removed;
    const flock::registry_list before{{"a"}, 1, 0};
    for (int i = 0, choices = order; i < 6; ++i, choices /= 3) {
      const auto& name = all[static_cast<std::size_t>(choices % 3)];
      if (names.erase(name) == 1)
        removed.insert(name);
      else
        names.insert(name);
      const flock::registry_list now{{names.begin(), names.end()}, 1, i + 1};
      CAPTURE(order);
      const bool replaced = names.contains("a") && removed.contains("a");
      if (replaced) CHECK_FALSE(flock::nothing_was_replaced(before, now));
    }
  }
}
