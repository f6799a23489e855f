#include "libflock/calls/call_table.hpp"

#include "tests/support/checked.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace std::chrono_literals;

namespace {

const auto bender1 = *flock::node_id::parse("bender1");
const auto bender2 = *flock::node_id::parse("bender2");
const flock::time_point start{};

/// A table, and what its calls were answered.
struct calls {
  flock::testing::checked<flock::call_table> table{7};
  std::vector<flock::result<flock::value>> answers;

  std::uint64_t add(const flock::node_id& to = bender1, flock::time_point until = start + 5s) {
    return table.add(to, until, [this](flock::result<flock::value> r) { answers.push_back(std::move(r)); });
  }
  flock::error_code code() const { return answers.at(0).error().code; }
};

}  // namespace

TEST_CASE("a reply answers its call once") {
  calls c;
  const auto id = c.add();
  c.table.sent(id);

  c.table.settle(bender1, id, flock::value(1));
  c.table.settle(bender1, id, flock::value(2));

  REQUIRE(c.answers.size() == 1);
  CHECK(c.answers[0] == flock::result<flock::value>(1));
  CHECK(c.table.size() == 0);
}

TEST_CASE("an answer from a node that was not asked is ignored") {
  calls c;
  const auto id = c.add(bender1);

  c.table.settle(bender2, id, flock::value(1));

  CHECK(c.answers.empty());
}

TEST_CASE("at its deadline a call that was sent may be done, one that was not surely is not") {
  calls sent, unsent;
  sent.table.sent(sent.add());
  unsent.add();
  CHECK(sent.table.earliest() == start + 5s);

  sent.table.expire(start + 4999ms);
  CHECK(sent.answers.empty());
  sent.table.expire(start + 5s);
  unsent.table.expire(start + 5s);

  CHECK(sent.code() == flock::error_code::maybe_done);
  CHECK(unsent.code() == flock::error_code::timeout);
  CHECK_FALSE(sent.table.earliest());
}

TEST_CASE("a call that is sent as soon as it is added may be done by its deadline") {
  calls c;
  c.table.add(
      bender1, start + 5s, [&](flock::result<flock::value> r) { c.answers.push_back(std::move(r)); }, true);

  c.table.expire(start + 5s);

  CHECK(c.code() == flock::error_code::maybe_done);
}

TEST_CASE("a call outlives its connection, but not the life of its node") {
  calls c;
  c.table.sent(c.add());

  c.table.orphan(bender1);
  CHECK(c.answers.empty());
  c.table.sent(c.add());  // on a later connection, to a later life
  c.table.lose(bender1, {flock::error_code::down, "bender1 died"});

  REQUIRE(c.answers.size() == 1);
  CHECK(c.code() == flock::error_code::maybe_done);
  CHECK(c.table.size() == 1);
}

TEST_CASE("with no way to the node, what was not sent is given up, and what was sent waits on") {
  calls c;
  c.table.sent(c.add());
  const auto refused = c.add();
  c.table.sent(refused);
  c.table.unsent(refused);

  c.table.give_up(bender1, {flock::error_code::unreachable, "nobody listens"});

  REQUIRE(c.answers.size() == 1);
  CHECK(c.code() == flock::error_code::unreachable);
  CHECK(c.table.size() == 1);
}

TEST_CASE("a closed table answers everything, also what comes later") {
  calls c;
  c.add();
  c.table.close({flock::error_code::shutting_down, "stopping"});
  c.add();

  REQUIRE(c.answers.size() == 2);
  CHECK(c.answers[1].error().code == flock::error_code::shutting_down);
}
