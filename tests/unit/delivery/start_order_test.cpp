#include "libflock/delivery/start_order.hpp"

#include "tests/support/checked.hpp"
#include "tests/support/two_post_offices.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <vector>

namespace {

using namespace flock;
using namespace std::chrono_literals;
using namespace flock::testing;
using ids = std::vector<std::string>;

start_order::place place(const std::string& id, std::uint64_t number, std::string_view sender = "bender0") {
  return {{node(sender), actor_name::parse("toaster").value()}, number, id};
}

const error too_late{error_code::timeout, "its turn came too late"};

}  // namespace

TEST_CASE("all start that nothing stands before") {
  checked<start_order> o;

  CHECK(o.may_start(place("a", 1)));
  CHECK(o.may_start(place("b", 2)));
}

TEST_CASE("what follows one that will not start comes back, and is released when that is durable") {
  checked<start_order> o;
  o.will_not_start(place("a", 2));

  CHECK_FALSE(o.may_start(place("b", 3)));
  CHECK(o.came_back(place("b", 3)).empty());
  CHECK(o.durable(place("a", 2)) == ids{"b"});

  CHECK(o.may_start(place("b", 3)));
  CHECK(o.may_start(place("c", 4)));
}

TEST_CASE("what came before one that will not start, or from another sender, starts") {
  checked<start_order> o;
  o.will_not_start(place("b", 2));

  CHECK(o.may_start(place("a", 1)));
  CHECK(o.may_start(place("c", 3, "bender2")));
}

TEST_CASE("nothing overtakes what is on its way back, or is handed over once more") {
  checked<start_order> o;
  o.will_not_start(place("a", 1));
  CHECK_FALSE(o.may_start(place("b", 2)));

  CHECK(o.durable(place("a", 1)).empty());
  CHECK_FALSE(o.may_start(place("c", 3)));
  CHECK(o.came_back(place("b", 2)) == ids{"b"});
  CHECK(o.came_back(place("c", 3)) == ids{"c"});
  CHECK_FALSE(o.may_start(place("d", 4)));

  CHECK(o.may_start(place("b", 2)));
  CHECK(o.may_start(place("c", 3)));
  CHECK(o.came_back(place("d", 4)) == ids{"d"});
  CHECK(o.may_start(place("d", 4)));
}

TEST_CASE("of several that will not start, each is waited for") {
  checked<start_order> o;
  o.will_not_start(place("a", 1));
  o.will_not_start(place("c", 3));
  CHECK_FALSE(o.may_start(place("b", 2)));
  CHECK_FALSE(o.may_start(place("d", 4)));
  CHECK(o.came_back(place("b", 2)).empty());
  CHECK(o.came_back(place("d", 4)).empty());

  CHECK(o.durable(place("a", 1)) == ids{"b"});
  CHECK(o.may_start(place("b", 2)));
  CHECK(o.durable(place("c", 3)) == ids{"d"});
}

TEST_CASE("one that comes too late when it is handed over once more holds up those behind it as well") {
  checked<start_order> o;
  o.will_not_start(place("a", 1));
  CHECK_FALSE(o.may_start(place("b", 2)));
  CHECK_FALSE(o.may_start(place("c", 3)));
  CHECK(o.came_back(place("b", 2)).empty());
  CHECK(o.came_back(place("c", 3)).empty());
  CHECK(o.durable(place("a", 1)) == ids{"b", "c"});

  o.will_not_start(place("b", 2));

  CHECK_FALSE(o.may_start(place("c", 3)));
  CHECK(o.came_back(place("c", 3)).empty());
  CHECK(o.durable(place("b", 2)) == ids{"c"});
}

TEST_CASE_FIXTURE(two_post_offices, "what follows one that came too late at its turn starts when that is durable") {
  start_both();
  submit(expiring("a", 1000));
  submit("b");
  receiver_disk.hold();

  receiver->finish(too_late);
  CHECK_FALSE(receiver->start());
  CHECK(receiver->jobs.empty());
  receiver_disk.release();
  settle();

  REQUIRE(receiver->jobs.size() == 1);
  CHECK(receiver->start());
  CHECK(receiver->state("b") == receipt_state::started);
  CHECK(sender->state("a") == receipt_state::expired);
}

TEST_CASE_FIXTURE(two_post_offices,
                  "what follows one that came too late to be handed over starts when that is durable") {
  start_both();
  submit("first");
  network.cut(sender_id, receiver_id);
  submit(expiring("a", 1000));
  submit("b");
  pass(2s);
  receiver->jobs.clear();
  receiver_disk.hold();
  network.heal();
  pass(1s);

  REQUIRE(receiver->jobs.size() == 1);
  REQUIRE(receiver->jobs[0].what.id == "b");
  CHECK_FALSE(receiver->start());
  receiver_disk.release();
  settle();
  REQUIRE(receiver->jobs.size() == 1);
  CHECK(receiver->start());
}

TEST_CASE_FIXTURE(two_post_offices, "what follows one that was refused starts when that is durable") {
  start_both();
  submit("first");
  receiver->start();
  receiver->finish();
  receiver_disk.hold();
  receiver->unknown_actors.insert("execute[toast]");
  submit("a");
  receiver->unknown_actors.clear();
  submit("b");

  REQUIRE(receiver->jobs.size() == 1);
  CHECK_FALSE(receiver->start());
  receiver_disk.release();
  settle();
  REQUIRE(receiver->jobs.size() == 1);
  CHECK(receiver->start());
  CHECK(sender->state("a") == receipt_state::failed);
}

TEST_CASE_FIXTURE(two_post_offices, "a crash and a clock that is set back let nothing be overtaken") {
  start_both();
  submit(expiring("a", 1000));
  submit("b");
  receiver_disk.hold();
  pass(2s);
  receiver->finish(too_late);
  REQUIRE_FALSE(receiver->start());

  receiver.reset();  // before the verdict is durable
  receiver_disk.release();
  time.set_wall(at(0));
  start_receiver();
  pass(1s);

  REQUIRE(receiver->jobs.size() == 2);
  CHECK(receiver->jobs[0].what.id == "a");
  CHECK(receiver->start());
  receiver->finish();
  CHECK(receiver->jobs[0].what.id == "b");
  CHECK(receiver->start());
}
