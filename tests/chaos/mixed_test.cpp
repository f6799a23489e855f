// Whatever goes wrong at once: every accepted notification ends with exactly one terminal receipt and was performed
// once, unless it is marked redelivered, in order, and in the end all is as if nothing had been (I1, I2, I3, I8).

#include "tests/chaos/stage.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <string>
#include <vector>

using namespace flock::chaos;
using namespace std::chrono_literals;

namespace {

/// FLOCK_CHAOS_MIX, such as 2m, or short enough for every day.
flock::milliseconds time_to_mix() {
  const char* given = std::getenv("FLOCK_CHAOS_MIX");
  if (!given) return 20s;
  const auto read = flock::parse_duration(given);
  REQUIRE_MESSAGE(read.has_value(), (read ? "" : read.error().what));
  return *read;
}

std::string any_node(choices& c, stage& s) { return c.one_of(s.ids()); }

/// Kinds of faults, as often as they stand here.
std::vector<stage::maker> kinds(stage& s) {
  auto& flock = s.flock();
  std::vector<stage::maker> all{
      [&](choices& c) { return kill(flock, {any_node(c, s)}); },
      [&](choices& c) { return kill(flock, {any_node(c, s)}); },
      [&](choices& c) { return pause(flock, any_node(c, s), c.between(50ms, 2 * stage::session_timeout)); },
      [&](choices& c) { return end_session(flock, any_node(c, s)); },
      [&](choices&) { return kill_zookeeper(flock); },
      [&](choices&) { return pause_zookeeper(flock); },
      [&](choices&) { return wipe_zookeepers(flock, 1); },
  };
  if (s.has_network()) {
    all.emplace_back([&](choices& c) { return cut(s.network(), any_node(c, s), zookeeper_place); });
    all.emplace_back([&](choices& c) {
      auto from = any_node(c, s), to = any_node(c, s);
      if (from == to) to = zookeeper_place;
      return c.one_in(2) ? cut(s.network(), from, to) : cut_one_way(s.network(), from, to);
    });
  }
  if (auto* disk = s.disk()) all.emplace_back([&, disk](choices&) { return fill(*disk, s.disk_owner()); });
  return all;
}

}  // namespace

TEST_CASE("faults of all kinds at random instants, also at once") {
  const auto possible = partitions_are_possible();
  if (!possible) MESSAGE("SKIPPED: partitions among the mixed faults: " << possible.error().what);
  stage s("mixed", {.partitions = possible.has_value(),
                    .small_disk_of = "bender1",
                    .excused = {.repeated = true, .forgotten = true}});
  if (!s.disk()) MESSAGE("SKIPPED: a full disk among the mixed faults: " << s.why_no_disk());
  s.begin_load();

  s.mix(kinds(s), time_to_mix());

  const auto wrong = s.finish();
  CHECK_MESSAGE(wrong.empty(), wrong);
}
