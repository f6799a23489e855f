#include "flock/membership.hpp"

#include "flock/memory_registry.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/support/manual_runtime.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace {

using flock::actor_name;
using flock::membership;
using flock::milliseconds;
using flock::node_attributes;
using flock::node_id;
using flock::node_life;
using flock::registry;
using flock::session_state;

using names = std::vector<std::string>;

node_id id(const std::string& text) { return *node_id::parse(text); }
actor_name actor(const std::string& text) { return *actor_name::parse(text); }

node_life life(std::uint64_t number) { return {{0, number}, "127.0.0.1:" + std::to_string(number), "1.0", {}}; }

node_attributes with_role(const std::string& role) {
  node_attributes about;
  about.environment = "production";
  about.roles = {role};
  return about;
}

/// Nodes of the bucket that this name is in.
std::vector<node_id> same_bucket_as(const std::string& name, std::size_t count) {
  std::vector<node_id> found;
  for (int i = 0; found.size() < count; ++i)
    if (auto node = id("x" + std::to_string(i)); membership::bucket(node.str()) == membership::bucket(name))
      found.push_back(node);
  return found;
}

struct world {
  flock::testing::manual_clock time;
  flock::testing::manual_runtime threads{time};
  std::shared_ptr<flock::memory_tree> tree = flock::make_memory_tree();

  /// Long enough for all that is put off.
  void settle() { threads.advance(milliseconds(1000)); }
};

/// What one node is told by its membership, as words.
struct member final : membership::listener {
  explicit member(world& where)
      : in(where),
        tree(in.tree, in.threads.make_mailbox("registry")),
        turn(in.threads.make_mailbox("node")),
        part(tree, turn, in.time, *this) {}
  member(world& where, const std::string& name, std::uint64_t number, const std::string& role = "none")
      : member(where) {
    part.join(id(name), life(number), with_role(role));
    in.settle();
  }
  ~member() override { tree.stop(); }

  void registry_changed(session_state now) override { states.push_back(now); }
  void joined() override { told.emplace_back("joined"); }
  void id_taken(const node_life& by) override { told.push_back("taken by " + std::to_string(by.life.low)); }
  void incompatible(const flock::error& why) override { told.push_back(why.what); }
  void listed(const node_id& node, const node_life& l) override { lives[node.str()] = l.life.low; }
  void unlisted(const node_id& node) override {
    lives.erase(node.str());
    told.push_back("unlisted " + node.str());
  }
  void described(const node_id& node, const node_attributes& about) override {
    roles[node.str()] = about.roles.front();
    ++descriptions;
  }
  void publishers(const actor_name& name, const std::set<node_id>& nodes) override {
    auto& all = publishing[name.str()];
    all.clear();
    for (const auto& node : nodes) all.push_back(node.str());
  }
  void lists_read() override { told.emplace_back("lists read"); }

  /// From now on it does nothing, as a process that was killed; its session lives on.
  void silence() { turn->close(); }

  names take_told() { return std::exchange(told, {}); }
  std::uint64_t operations() const { return tree.stats().operations; }

  world& in;
  flock::memory_registry tree;
  std::shared_ptr<flock::mailbox> turn;
  membership part;
  std::vector<session_state> states;
  names told;
  std::map<std::string, std::uint64_t> lives;
  std::map<std::string, std::string> roles;
  std::map<std::string, names> publishing;
  int descriptions = 0;
};

/// Reads and changes the tree as somebody from outside.
struct outsider final : registry::listener {
  explicit outsider(world& where) : in(where), tree(in.tree, in.threads.make_mailbox("outsider")) {
    tree.start(*this);
    in.threads.run_ready();
  }
  ~outsider() override { tree.stop(); }

  void session_changed(session_state, bool) override {}
  void changed(const std::string&) override {}

  std::optional<flock::registry_entry> get(const std::string& path) {
    std::optional<flock::registry_entry> found;
    tree.get(path, false, [&](auto r) {
      if (r) found = *r;
    });
    in.threads.run_ready();
    return found;
  }
  names children(const std::string& path) {
    names found;
    tree.children(path, false, [&](auto r) { found = r.value_or({}).names; });
    in.threads.run_ready();
    return found;
  }
  void create(const std::string& path, const std::string& data, registry::kind k = registry::kind::persistent) {
    tree.create(path, data, k, [](const auto& r) { REQUIRE(r.has_value()); });
    in.threads.run_ready();
  }
  void set(const std::string& path, const std::string& data) {
    tree.set(path, data, registry::any_version, [](const auto& r) { REQUIRE(r.has_value()); });
    in.threads.run_ready();
  }
  void remove(const std::string& path) {
    tree.remove(path, registry::any_version, [](const auto& r) { REQUIRE(r.has_value()); });
    in.threads.run_ready();
  }

  world& in;
  flock::memory_registry tree;
};

}  // namespace

TEST_CASE("paths are sharded by FNV-1a, and say the names") {
  CHECK(membership::bucket("foobar") == "bf");
  CHECK(membership::bucket("a") == "e4");
  CHECK(membership::node_path(id("foobar")) == "/nodes/bf/foobar");
  CHECK(membership::attributes_path(id("a")) == "/attributes/e4/a");
  CHECK(membership::actor_path(actor("file[/etc/hosts]")) ==
        "/actors/" + membership::bucket("file[/etc/hosts]") + "/file%5B%2Fetc%2Fhosts%5D");
  CHECK(membership::actor_path(actor("..")).ends_with("/%2E%2E"));
}

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
  CHECK(o.get(membership::node_path(id("anna")))->ephemeral);
  CHECK(node_life::from_value(*flock::from_json(o.get(membership::node_path(id("anna")))->data)) == life(1));
  CHECK_FALSE(o.get(membership::attributes_path(id("anna")))->ephemeral);
  for (const auto* name : {"early", "late"}) CHECK(o.get(membership::actor_path(actor(name)) + "/anna")->ephemeral);
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

  CHECK_FALSE(o.get(membership::node_path(id("anna"))));
  CHECK(o.children("/actors").empty());
  CHECK(o.get(membership::attributes_path(id("anna"))));
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
  CHECK(o.get(membership::node_path(id("anna"))));
  CHECK(o.get(membership::actor_path(actor("x")) + "/anna"));
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
  CHECK(o.get(membership::actor_path(actor("x")) + "/anna"));
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
    CHECK(o.get(membership::actor_path(actor("x")) + "/anna"));
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
  CHECK_FALSE(o.get(membership::actor_path(actor("x")) + "/anna"));
  CHECK(o.get(membership::attributes_path(id("anna")))->data.find("web") != std::string::npos);

  first.reset();
  w.settle();
  CHECK(second.take_told() == names{"joined"});
  CHECK(o.get(membership::actor_path(actor("x")) + "/anna"));
  CHECK(o.get(membership::attributes_path(id("anna")))->data.find("db") != std::string::npos);
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
  auto standing = flock::from_json(o.get(membership::node_path(id("anna")))->data);
  bool first_stands = node_life::from_value(*standing) == life(1);
  CHECK((first_stands ? second : first).take_told().back() == (first_stands ? "taken by 1" : "taken by 2"));
}

TEST_CASE("our own entry of a session before is replaced") {
  world w;
  auto session_before = std::make_unique<outsider>(w);
  session_before->create(membership::node_path(id("anna")), flock::to_json(life(1).to_value()),
                         registry::kind::ephemeral);

  member anna(w, "anna", 1);

  CHECK(anna.take_told() == names{"joined"});
  session_before.reset();
  outsider o(w);
  CHECK(o.get(membership::node_path(id("anna"))));
}

TEST_CASE("an entry of ours that somebody removes is made again") {
  world w;
  outsider o(w);
  member anna(w, "anna", 1);
  anna.take_told();

  o.remove(membership::node_path(id("anna")));
  w.settle();

  CHECK(o.get(membership::node_path(id("anna"))));
  CHECK(anna.take_told().empty());
}

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
  for (int i = 0; i < 10; ++i) o.create(membership::node_path(others[i]), flock::to_json(life(2).to_value()));
  anna.part.want_all();
  w.settle();
  constexpr std::uint64_t one_list = 1;
  constexpr std::uint64_t one_entry = 1;

  auto before = anna.operations();
  o.create(membership::node_path(others[10]), flock::to_json(life(3).to_value()));
  w.settle();
  CHECK(anna.operations() == before + one_list + one_entry);
  before = anna.operations();
  o.remove(membership::node_path(others[0]));
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
    for (int i = 0; i < 2; ++i) o.create(membership::node_path(others[i]), flock::to_json(life(2).to_value()));
    anna.part.want_all();
    w.settle();

    anna.tree.suspend();
    o.remove(membership::node_path(others[0]));
    o.create(membership::node_path(others[0]), flock::to_json(life(7).to_value()));
    if (comes)
      o.create(membership::node_path(others[2]), flock::to_json(life(3).to_value()));
    else
      o.remove(membership::node_path(others[1]));
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
    if (auto name = "n" + std::to_string(i); membership::bucket(name) == membership::bucket("n2")) same_bucket = name;
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

TEST_CASE("an actor that comes and goes quickly ends as it was wanted last") {
  world w;
  outsider o(w);
  member anna(w, "anna", 1);
  const auto path = membership::actor_path(actor("x")) + "/anna";

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
    if (membership::bucket(node.str()) != membership::bucket("anna")) continue;
    o.create(membership::node_path(node), flock::to_json(life(2).to_value()));
    ++made;
  }
  w.settle();

  CHECK(anna.lives.size() == many + 1);
  CHECK(anna.tree.stats().watches_fired - before <= 3);
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

TEST_CASE("entries that cannot be read are as if they were not there") {
  world w;
  outsider o(w);
  o.create("/nodes/" + membership::bucket("x") + "/x", "no JSON");
  o.create("/nodes/" + membership::bucket("y") + "/not a node", "{}");
  o.create("/attributes/" + membership::bucket("x") + "/x", "[1]");
  member anna(w, "anna", 1);

  anna.part.want_all();
  w.settle();

  CHECK(anna.part.lists_known());
  CHECK(anna.lives == std::map<std::string, std::uint64_t>{{"anna", 1}});
  CHECK(anna.roles == std::map<std::string, std::string>{{"anna", "none"}});
}
