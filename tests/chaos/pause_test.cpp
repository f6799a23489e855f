// A process that is stopped for a while, as by a busy or sleeping machine, is no other than a slow one: when it goes
// on, every accepted notification has been performed once, in order, and all nodes see each other again (I1, I2, I3,
// I8).

#include "tests/chaos/stage.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace flock::chaos;

namespace {

void check_pause(const std::string& test, const std::vector<flock::milliseconds>& times) {
  stage s(test, {});
  s.begin_load();

  for (const auto lasts : times) {
    s.let_pass(static_cast<std::size_t>(s.chance().between(1, 40)));
    s.inflict(pause(s.flock(), s.chance().one_of(s.ids()), lasts), lasts);
  }

  const auto wrong = s.finish();
  CHECK_MESSAGE(wrong.empty(), wrong);
}

}  // namespace

TEST_CASE("a node that stands still for half a session time-out") {
  check_pause("pause-half", {stage::session_timeout / 2, stage::session_timeout / 2});
}

TEST_CASE("a node that stands still for a session time-out") { check_pause("pause-one", {stage::session_timeout}); }

TEST_CASE("a node that stands still for three session time-outs") {
  check_pause("pause-three", {3 * stage::session_timeout});
}
