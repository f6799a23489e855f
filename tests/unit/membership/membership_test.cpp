#include "libflock/membership/registry_layout.hpp"
#include "tests/support/members.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

// What a node does about its own entries.

namespace {

using namespace flock;
using namespace flock::testing::members;
namespace registry_layout = flock::internal::registry_layout;

}  // namespace

TEST_CASE("a node joins: its life, its attributes, its actors and the layout are in the tree") {
  world w;
  outsider o(w);
  member anna(w);
  anna.part.publish(actor("early"));

  anna.part.join(id("anna"), life(1), with_role("web"));
  anna.part.publish(actor("late"));
  w.settle();

  CHECK(anna.take_told() == names{"joined"});
  CHECK(anna.states == std::vector{session_state::ready});
  CHECK(o.get("/version")->data == R"({"layout":1})");
  CHECK(o.get(registry_layout::node_path(id("anna")))->ephemeral);
  CHECK(node_life::from_value(*flock::from_json(o.get(registry_layout::node_path(id("anna")))->data)) == life(1));
  CHECK_FALSE(o.get(registry_layout::attributes_path(id("anna")))->ephemeral);
  for (const auto* name : {"early", "late"})
    CHECK(o.get(registry_layout::actor_path(actor(name)) + "/anna")->ephemeral);
}

TEST_CASE("a node that is gone leaves its attributes, nothing else") {
  world w;
  outsider o(w);
  {
    member anna(w, "anna", 1);
    anna.part.publish(actor("x"));
    w.settle();
  }
  w.settle();

  CHECK_FALSE(o.get(registry_layout::node_path(id("anna"))));
  CHECK(o.children("/actors").empty());
  CHECK(o.get(registry_layout::attributes_path(id("anna"))));
}

TEST_CASE("a node joins again after its session ended, with all that it publishes") {
  world w;
  outsider o(w);
  member anna(w, "anna", 1);
  anna.part.publish(actor("x"));
  w.settle();
  anna.take_told();

  anna.tree.expire();
  w.settle();

  CHECK(anna.take_told() == names{"joined"});
  CHECK(anna.states == std::vector{session_state::ready, session_state::lost, session_state::ready});
  CHECK(o.get(registry_layout::node_path(id("anna"))));
  CHECK(o.get(registry_layout::actor_path(actor("x")) + "/anna"));
}

TEST_CASE("what happens while the registry is away is made up for") {
  world w;
  outsider o(w);
  member anna(w, "anna", 1);
  member berta(w, "berta", 2);
  anna.part.want_all();
  w.settle();
  anna.take_told();

  anna.tree.suspend();
  w.settle();
  CHECK(anna.part.state() == session_state::suspended);
  anna.part.publish(actor("x"));
  anna.part.describe(with_role("db"));
  berta.tree.stop();
  w.settle();
  CHECK(anna.lives.contains("berta"));
  anna.tree.resume();
  w.settle();

  CHECK(anna.take_told() == names{"unlisted berta"});
  CHECK(o.get(registry_layout::actor_path(actor("x")) + "/anna"));
  CHECK(anna.roles["anna"] == "db");
}

TEST_CASE("answers that are lost leave no trace, whenever they are lost") {
  for (int moment = 0; moment < 40; ++moment) {
    CAPTURE(moment);
    world w;
    outsider o(w);
    member anna(w);
    anna.part.publish(actor("x"));
    anna.part.want_all();
    anna.part.join(id("anna"), life(1), with_role("web"));

    for (int i = 0; i < moment; ++i) w.threads.run_one();
    anna.tree.suspend();
    anna.tree.resume();
    w.settle();

    auto told = anna.take_told();
    std::ranges::sort(told);
    CHECK(told == names{"joined", "lists read"});
    CHECK(o.get(registry_layout::actor_path(actor("x")) + "/anna"));
    CHECK(anna.lives == std::map<std::string, std::uint64_t>{{"anna", 1}});
    CHECK(anna.roles["anna"] == "web");
  }
}

TEST_CASE("the second node of one id waits until the first is gone, and changes nothing of it") {
  world w;
  outsider o(w);
  auto first = std::make_unique<member>(w, "anna", 1, "web");

  member second(w, "anna", 2, "db");
  second.part.publish(actor("x"));
  w.settle();
  CHECK(second.take_told() == names{"taken by 1"});
  CHECK_FALSE(o.get(registry_layout::actor_path(actor("x")) + "/anna"));
  CHECK(o.get(registry_layout::attributes_path(id("anna")))->data.find("web") != std::string::npos);

  first.reset();
  w.settle();
  CHECK(second.take_told() == names{"joined"});
  CHECK(o.get(registry_layout::actor_path(actor("x")) + "/anna"));
  CHECK(o.get(registry_layout::attributes_path(id("anna")))->data.find("db") != std::string::npos);
}

TEST_CASE("a life that is known to be over is replaced, another one is not") {
  world w;
  member first(w, "anna", 1);
  member second(w, "anna", 2);
  second.take_told();

  second.part.take_over(life(7).life);
  w.settle();
  CHECK(second.take_told() == names{"taken by 1"});
  // Its process is gone; the registry does not know it yet.
  first.silence();
  second.part.take_over(life(1).life);
  w.settle();

  CHECK(second.take_told() == names{"joined"});
}

TEST_CASE("a life that was wrongly said to be over comes back, and the two do not fight for ever") {
  world w;
  member first(w, "anna", 1);
  member second(w, "anna", 2);
  first.take_told();
  second.take_told();

  second.part.take_over(life(1).life);
  w.settle();

  outsider o(w);
  auto standing = flock::from_json(o.get(registry_layout::node_path(id("anna")))->data);
  bool first_stands = node_life::from_value(*standing) == life(1);
  CHECK((first_stands ? second : first).take_told().back() == (first_stands ? "taken by 1" : "taken by 2"));
}

TEST_CASE("our own entry of a session before is replaced") {
  world w;
  auto session_before = std::make_unique<outsider>(w);
  session_before->create(registry_layout::node_path(id("anna")), flock::to_json(life(1).to_value()),
                         registry::kind::ephemeral);

  member anna(w, "anna", 1);

  CHECK(anna.take_told() == names{"joined"});
  session_before.reset();
  outsider o(w);
  CHECK(o.get(registry_layout::node_path(id("anna"))));
}

TEST_CASE("an entry of ours that somebody removes is made again") {
  world w;
  outsider o(w);
  member anna(w, "anna", 1);
  anna.take_told();

  o.remove(registry_layout::node_path(id("anna")));
  w.settle();

  CHECK(o.get(registry_layout::node_path(id("anna"))));
  CHECK(anna.take_told().empty());
}

TEST_CASE("an actor that comes and goes quickly ends as it was wanted last") {
  world w;
  outsider o(w);
  member anna(w, "anna", 1);
  const auto path = registry_layout::actor_path(actor("x")) + "/anna";

  for (int i = 0; i < 3; ++i) {
    anna.part.publish(actor("x"));
    anna.part.unpublish(actor("x"));
  }
  w.settle();
  CHECK_FALSE(o.get(path));
  anna.part.unpublish(actor("x"));
  anna.part.publish(actor("x"));
  w.settle();
  CHECK(o.get(path));
}

TEST_CASE("a thousand actors are published, and again after a lost session") {
  world w;
  outsider o(w);
  member anna(w, "anna", 1);
  auto count = [&] {
    std::size_t all = 0;
    for (const auto& bucket : o.children("/actors")) all += o.children("/actors/" + bucket).size();
    return all;
  };

  for (int i = 0; i < 1000; ++i) anna.part.publish(actor("log[" + std::to_string(i) + "]"));
  w.settle();
  CHECK(count() == 1000);
  anna.tree.expire();
  w.settle();

  CHECK(count() == 1000);
}

TEST_CASE("a newer layout is refused: nothing is registered or read") {
  world w;
  outsider o(w);
  o.create("/version", R"({"layout":2})");
  member anna(w);
  anna.part.want_all();
  anna.part.join(id("anna"), life(1), with_role("web"));
  w.settle();

  CHECK(anna.take_told() == names{R"(the registry's layout is {"layout":2}; this is version 1)"});
  CHECK(o.children("/") == names{"version"});
  CHECK_FALSE(anna.part.lists_known());

  o.set("/version", R"({"layout":1})");
  anna.tree.expire();
  w.settle();
  CHECK(anna.take_told() == names{"joined", "lists read"});
}
