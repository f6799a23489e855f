#pragma once

#include "libflock/seams/storage.hpp"
#include "tests/support/storage_contract.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace flock::testing {

/// A long row of writes that any storage can be held to: each puts and removes several records, so that half of one
/// would show, and the records tell how many there were.
class journal_history {
 public:
  using records = std::map<std::string, std::string>;

  static std::vector<record_change> write(std::size_t number) {
    const auto n = std::to_string(number);
    // Of many lengths, so that pages split and merge.
    const std::string body(10 + number * 37 % 900, static_cast<char>('a' + number % 26));
    std::vector<record_change> out{{"last", n}, {"a/" + n, body}, {"b/" + std::to_string(number * 7 % 50), n + body}};
    if (number >= 20) out.push_back({"a/" + std::to_string(number - 20), std::nullopt});
    return out;
  }

  /// What a storage holds after the writes 0 to `count` - 1.
  static records after(std::size_t count) {
    records out;
    for (std::size_t i = 0; i < count; ++i) {
      for (auto& c : write(i)) {
        if (c.data)
          out[c.key] = *c.data;
        else
          out.erase(c.key);
      }
    }
    return out;
  }

  static records held_by(storage& s) {
    records out;
    auto done = s.read("", [&](std::string_view key, std::string_view data) { out.emplace(key, data); });
    REQUIRE_MESSAGE(done.has_value(), (done ? "" : done.error().what));
    return out;
  }

  /// Checks that a storage holds a beginning of the row, nothing of it half, and not less than was told to be durable.
  /// \returns how many writes
  static std::size_t check(storage& s, std::size_t durable) {
    const auto held = held_by(s);
    const auto last = held.find("last");
    const auto count = last == held.end() ? 0 : std::stoul(last->second) + 1;
    CHECK(count >= durable);
    CHECK(held == after(count));
    CHECK(s.damaged().empty());
    return count;
  }
};

}  // namespace flock::testing
