// A process that is killed at any instant loses nothing that was accepted: every accepted notification ends with
// exactly one terminal receipt and was performed, once, unless it is marked redelivered, and in order (I1, I2, I3).

#include "tests/chaos/stage.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace flock::chaos;
using namespace std::chrono_literals;

namespace {

/// Every node sends and receives; the more of them are killed at once, the fewer are left to tell what they had told.
void check_kills(const std::string& test, std::size_t victims, int times) {
  stage s(test, {.excused = {.repeated = true, .forgotten = true}});
  s.begin_load();

  for (int i = 0; i < times; ++i) {
    s.let_pass(static_cast<std::size_t>(s.chance().between(1, 60)));
    auto nodes = s.ids();
    while (nodes.size() > victims)
      nodes.erase(nodes.begin() + s.chance().between(0, static_cast<int>(nodes.size()) - 1));
    // Some come back at once, some when the others have given up their connections.
    s.inflict(kill(s.flock(), nodes), s.chance().between(0ms, 1500ms));
  }

  const auto wrong = s.finish();
  CHECK_MESSAGE(wrong.empty(), wrong);
}

}  // namespace

TEST_CASE("one node is killed again and again, which sends and receives") { check_kills("kill-one", 1, 6); }

TEST_CASE("sender and receiver are killed at the same time") { check_kills("kill-both", 2, 5); }

TEST_CASE("all nodes are killed at the same time") { check_kills("kill-all", 3, 4); }

TEST_CASE("a node that is ended and started as for an upgrade loses nothing and does nothing twice") {
  // A command under way is ended half-way, and nobody can tell how far it got.
  stage s("restart", {.excused = {.unknown = true}});
  s.begin_load();

  for (int i = 0; i < 3; ++i) {
    s.let_pass(static_cast<std::size_t>(s.chance().between(1, 60)));
    s.inflict(restart(s.flock(), s.chance().one_of(s.ids())), s.chance().between(0ms, 500ms));
  }

  const auto wrong = s.finish();
  CHECK_MESSAGE(wrong.empty(), wrong);
}
