#include "libflock/membership/registry_layout.hpp"
#include "tests/support/members.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

// What a node is told of the entries of others.

namespace {

using namespace flock;
using namespace flock::testing::members;
namespace registry_layout = flock::internal::registry_layout;

/// Nodes of the bucket that this name is in.
std::vector<node_id> same_bucket_as(const std::string& name, std::size_t count) {
  std::vector<node_id> found;
  for (int i = 0; found.size() < count; ++i)
    if (auto node = id("x" + std::to_string(i)); registry_layout::bucket(node.str()) == registry_layout::bucket(name))
      found.push_back(node);
  return found;
}

}  // namespace

TEST_CASE("who wants all nodes sees them come, go and come back, with their attributes") {
  world w;
  member anna(w, "anna", 1, "web");
  auto berta = std::make_unique<member>(w, "berta", 2, "db");
  CHECK_FALSE(anna.part.lists_known());

  anna.part.want_all();
  w.settle();
  CHECK(anna.part.lists_known());
  CHECK(anna.lives == std::map<std::string, std::uint64_t>{{"anna", 1}, {"berta", 2}});
  CHECK(anna.roles == std::map<std::string, std::string>{{"anna", "web"}, {"berta", "db"}});
  CHECK(anna.take_told() == names{"joined", "lists read"});

  member carla(w, "carla", 3, "mail");
  CHECK(anna.lives["carla"] == 3);
  CHECK(anna.roles["carla"] == "mail");

  berta.reset();
  w.settle();
  CHECK(anna.take_told() == names{"unlisted berta"});
  berta = std::make_unique<member>(w, "berta", 4, "cache");
  CHECK(anna.lives["berta"] == 4);
  CHECK(anna.roles["berta"] == "cache");
}

TEST_CASE("who wants all nodes reads one entry for a node that comes, and none for one that goes") {
  world w;
  outsider o(w);
  member anna(w, "anna", 1);
  auto others = same_bucket_as("anna", 12);
  for (int i = 0; i < 10; ++i) o.create(registry_layout::node_path(others[i]), flock::to_json(life(2).to_value()));
  anna.part.want_all();
  w.settle();
  constexpr std::uint64_t one_list = 1;
  constexpr std::uint64_t one_entry = 1;

  auto before = anna.operations();
  o.create(registry_layout::node_path(others[10]), flock::to_json(life(3).to_value()));
  w.settle();
  CHECK(anna.operations() == before + one_list + one_entry);
  before = anna.operations();
  o.remove(registry_layout::node_path(others[0]));
  w.settle();
  CHECK(anna.operations() == before + one_list);
  CHECK(anna.lives.size() == 11);
}

TEST_CASE("a node that is made anew while another comes or goes is seen with its new life") {
  for (bool comes : {true, false}) {
    CAPTURE(comes);
    world w;
    outsider o(w);
    member anna(w, "anna", 1);
    auto others = same_bucket_as("anna", 3);
    for (int i = 0; i < 2; ++i) o.create(registry_layout::node_path(others[i]), flock::to_json(life(2).to_value()));
    anna.part.want_all();
    w.settle();

    anna.tree.suspend();
    o.remove(registry_layout::node_path(others[0]));
    o.create(registry_layout::node_path(others[0]), flock::to_json(life(7).to_value()));
    if (comes)
      o.create(registry_layout::node_path(others[2]), flock::to_json(life(3).to_value()));
    else
      o.remove(registry_layout::node_path(others[1]));
    anna.tree.resume();
    w.settle();

    CHECK(anna.lives[others[0].str()] == 7);
    CHECK(anna.lives.size() == (comes ? 4 : 2));
  }
}

TEST_CASE("a node that restarts between two looks at its bucket is seen with its new life") {
  world w;
  member anna(w, "anna", 1);
  auto berta = std::make_unique<member>(w, "berta", 2);
  anna.part.want_all();
  w.settle();

  anna.tree.suspend();
  berta.reset();
  berta = std::make_unique<member>(w, "berta", 3);
  anna.tree.resume();
  w.settle();

  CHECK(anna.lives["berta"] == 3);
}

TEST_CASE("a lost session makes nobody forgotten who is still there, and everybody unlisted who is not") {
  world w;
  member anna(w, "anna", 1);
  auto berta = std::make_unique<member>(w, "berta", 2);
  member carla(w, "carla", 3);
  anna.part.want_all();
  w.settle();
  anna.take_told();

  anna.tree.suspend();
  anna.tree.expire();
  berta.reset();
  w.settle();
  anna.tree.resume();
  w.settle();

  auto told = anna.take_told();
  CHECK(std::ranges::count(told, "unlisted berta") == 1);
  CHECK(std::ranges::count(told, "unlisted carla") == 0);
  CHECK(std::ranges::count(told, "joined") == 1);
}

TEST_CASE("a change of attributes is told to who wants all, and costs one entry's reading") {
  world w;
  member anna(w, "anna", 1);
  std::vector<std::unique_ptr<member>> others;
  for (int i = 0; i < 20; ++i) others.push_back(std::make_unique<member>(w, "n" + std::to_string(i), i + 10, "old"));
  anna.part.want_all();
  w.settle();
  auto descriptions = anna.descriptions;
  auto operations = anna.operations();

  others[7]->part.describe(with_role("new"));
  w.settle();
  CHECK(anna.roles["n7"] == "new");
  CHECK(anna.roles["n8"] == "old");
  CHECK(anna.descriptions == descriptions + 1);
  CHECK(anna.operations() == operations + 2);

  others[7]->part.describe(with_role("new"));
  w.settle();
  CHECK(anna.operations() == operations + 2);
}

TEST_CASE("changes of attributes that were missed are all read") {
  world w;
  member anna(w, "anna", 1);
  member berta(w, "n2", 2, "old");
  std::string same_bucket;
  for (int i = 3; same_bucket.empty(); ++i)
    if (auto name = "n" + std::to_string(i); registry_layout::bucket(name) == registry_layout::bucket("n2"))
      same_bucket = name;
  member carla(w, same_bucket, 3, "old");
  anna.part.want_all();
  w.settle();

  anna.tree.suspend();
  berta.part.describe(with_role("new"));
  w.settle();
  carla.part.describe(with_role("new"));
  w.settle();
  anna.tree.resume();
  w.settle();

  CHECK(anna.roles["n2"] == "new");
  CHECK(anna.roles[same_bucket] == "new");
}

TEST_CASE("a node that is wanted alone is watched, known or not") {
  world w;
  member anna(w, "anna", 1);
  anna.take_told();

  anna.part.want_node(id("berta"));
  w.settle();
  CHECK(anna.take_told() == names{"unlisted berta"});
  auto berta = std::make_unique<member>(w, "berta", 2, "web");
  CHECK(anna.lives["berta"] == 2);
  CHECK(anna.roles["berta"] == "web");

  berta->part.describe(with_role("db"));
  w.settle();
  CHECK(anna.roles["berta"] == "db");
  berta.reset();
  w.settle();
  CHECK(anna.take_told() == names{"unlisted berta"});
}

TEST_CASE("who wants more single nodes than is good for the registry watches the lists instead") {
  world w;
  member anna(w, "anna", 1);
  for (std::size_t i = 0; i < membership::max_single_nodes; ++i) anna.part.want_node(id("n" + std::to_string(i)));
  w.settle();
  CHECK_FALSE(anna.part.all_wanted());

  anna.part.want_node(id("one-more"));
  w.settle();
  CHECK(anna.part.lists_known());
  const auto before = anna.operations();
  for (int i = 0; i < 1000; ++i) anna.part.want_node(id("more" + std::to_string(i)));
  w.settle();
  CHECK(anna.operations() == before);

  member more(w, "more7", 2);
  w.settle();
  CHECK(anna.lives["more7"] == 2);
}

TEST_CASE("the publishers of a wanted actor are told after each change, until it is unwanted") {
  world w;
  member anna(w, "anna", 1);
  member berta(w, "berta", 2);
  anna.part.want_publishers(actor("x"));
  w.settle();
  CHECK(anna.publishing["x"].empty());

  berta.part.publish(actor("x"));
  w.settle();
  CHECK(anna.publishing["x"] == names{"berta"});
  anna.part.publish(actor("x"));
  w.settle();
  CHECK(anna.publishing["x"] == names{"anna", "berta"});
  berta.part.unpublish(actor("x"));
  w.settle();
  CHECK(anna.publishing["x"] == names{"anna"});

  anna.part.unwant_publishers(actor("x"));
  berta.part.publish(actor("x"));
  w.settle();
  CHECK(anna.publishing["x"] == names{"anna"});
}

TEST_CASE("nothing is watched, and nothing read, that nobody asked for") {
  world w;
  member anna(w, "anna", 1);
  auto operations = anna.operations();

  member berta(w, "berta", 2);
  berta.part.publish(actor("x"));
  berta.part.describe(with_role("web"));
  w.settle();

  CHECK(anna.tree.stats().watches_fired == 0);
  CHECK(anna.operations() == operations);
  CHECK(berta.tree.stats().watches_fired == 0);
}

TEST_CASE("when many nodes come at once their bucket is not read for each of them") {
  world w;
  member anna(w, "anna", 1);
  anna.part.want_all();
  w.settle();
  outsider o(w);
  constexpr std::size_t many = 100;
  auto before = anna.tree.stats().watches_fired;

  for (std::size_t i = 0, made = 0; made < many; ++i) {
    auto node = id("x" + std::to_string(i));
    if (registry_layout::bucket(node.str()) != registry_layout::bucket("anna")) continue;
    o.create(registry_layout::node_path(node), flock::to_json(life(2).to_value()));
    ++made;
  }
  w.settle();

  CHECK(anna.lives.size() == many + 1);
  CHECK(anna.tree.stats().watches_fired - before <= 3);
}

TEST_CASE("entries that cannot be read are as if they were not there") {
  world w;
  outsider o(w);
  o.create("/nodes/" + registry_layout::bucket("x") + "/x", "no JSON");
  o.create("/nodes/" + registry_layout::bucket("y") + "/not a node", "{}");
  o.create("/attributes/" + registry_layout::bucket("x") + "/x", "[1]");
  member anna(w, "anna", 1);

  anna.part.want_all();
  w.settle();

  CHECK(anna.part.lists_known());
  CHECK(anna.lives == std::map<std::string, std::uint64_t>{{"anna", 1}});
  CHECK(anna.roles == std::map<std::string, std::string>{{"anna", "none"}});
}
