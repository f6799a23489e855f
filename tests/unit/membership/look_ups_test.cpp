#include "libflock/membership/look_ups.hpp"

#include "tests/support/members.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <string>

// Who asks for nodes, and waits until they are known.

namespace {

using namespace flock;
using namespace flock::testing::members;
using namespace std::chrono_literals;

/// A node that looks others up, put together as a node is.
struct seeker final : membership::listener {
  explicit seeker(world& where)
      : in(where),
        tree(in.tree, in.threads.make_mailbox("registry")),
        turn(in.threads.make_mailbox("node")),
        part(tree, turn, in.time, *this),
        look_ups(turn, in.time, nodes, part) {
    nodes.connected(id("seeker"), life(99), in.time.now(), in.time.wall());
    part.join(id("seeker"), life(99), with_role("none"));
  }
  ~seeker() override { tree.stop(); }

  void registry_changed(session_state now) override {
    nodes.registry_reachable(now == session_state::ready);
    look_ups.registry_changed();
  }
  void joined() override {}
  void id_taken(const node_life&) override {}
  void incompatible(const error&) override {}
  void listed(const node_id& node, const node_life& l) override {
    nodes.listed(node, l, in.time.now(), in.time.wall());
    look_ups.listed(node);
  }
  void unlisted(const node_id& node) override {
    nodes.unlisted(node, in.time.now(), in.time.wall());
    look_ups.unlisted(node);
  }
  void described(const node_id& node, const node_attributes& about) override {
    nodes.described(node, about);
    look_ups.described(node);
  }
  void publishers(const actor_name&, const std::set<node_id>&) override {}
  void lists_read() override { look_ups.registry_changed(); }

  /// What is answered, as a word.
  std::shared_ptr<std::string> look_up(const location& where, milliseconds within = 5s) {
    auto answer = std::make_shared<std::string>("waits");
    look_ups.look_up(where, in.time.now() + within,
                     [answer](const result<void>& r) { *answer = r ? "known" : to_string(r.error().code); });
    return answer;
  }
  std::string nodes_of(const std::optional<location>& where) {
    std::string ids = "waits";
    look_ups.nodes(where, in.time.now() + 5s, [&](const result<std::vector<node_info>>& r) {
      ids = r ? "" : to_string(r.error().code);
      for (const auto& n : r.value_or({})) ids += n.id.str() + " ";
    });
    in.settle();
    return ids;
  }

  world& in;
  memory_registry tree;
  std::shared_ptr<mailbox> turn;
  membership part;
  directory nodes{id("seeker"), {}};
  flock::look_ups look_ups;
};

location named(const std::string& node) {
  location where;
  where.nodes = {id(node)};
  return where;
}

location with_roles(const std::string& role) {
  location where;
  where.roles = {role};
  return where;
}

}  // namespace

TEST_CASE("a node that is asked for by name is known when the registry has told of it, and at once from then on") {
  world w;
  member anna(w, "anna", 1);
  seeker s(w);

  const auto first = s.look_up(named("anna"));
  CHECK(*first == "waits");
  w.settle();

  CHECK(*first == "known");
  CHECK(*s.look_up(named("anna")) == "known");
}

TEST_CASE("a name that no node has is not found, until one comes that has it") {
  world w;
  seeker s(w);
  const auto too_early = s.look_up(named("anna"));
  w.settle();
  CHECK(*too_early == "not_found");
  CHECK(s.look_ups.is_absent(id("anna")));

  member anna(w, "anna", 1);

  CHECK_FALSE(s.look_ups.is_absent(id("anna")));
  CHECK(*s.look_up(named("anna")) == "known");
}

TEST_CASE("a node that was here once is known though it is away") {
  world w;
  { member anna(w, "anna", 1); }
  w.settle();
  seeker s(w);

  const auto answer = s.look_up(named("anna"));
  w.settle();

  CHECK(*answer == "known");
}

TEST_CASE("a condition is answered when the lists are read, which tell of everybody") {
  world w;
  member anna(w, "anna", 1, "web");
  member berta(w, "berta", 2, "db");
  seeker s(w);

  const auto answer = s.look_up(with_roles("web"));
  CHECK(*answer == "waits");
  w.settle();

  CHECK(*answer == "known");
  CHECK(s.look_ups.is_absent(id("carla")));
  CHECK(s.nodes_of(with_roles("web")) == "anna ");
  CHECK(s.nodes_of(with_roles("mail")) == "not_found");
  CHECK(s.nodes_of(std::nullopt) == "anna berta seeker ");
}

TEST_CASE("while the registry cannot be asked, who waits is told so at the deadline, or what is known without it") {
  world w;
  member anna(w, "anna", 1);
  seeker s(w);
  s.tree.suspend();
  w.settle();

  const auto by_name = s.look_up(named("anna"), 5s);
  const auto by_role = s.look_up(with_roles("web"), 5s);
  CHECK(s.nodes_of(std::nullopt) == "seeker ");
  w.threads.advance(3s);
  CHECK(*by_name == "waits");
  w.threads.advance(2s);

  CHECK(*by_name == "unreachable");
  CHECK(*by_role == "unreachable");

  s.nodes.connected(id("anna"), life(1), w.time.now(), w.time.wall());
  const auto again = s.look_up(with_roles("web"), 5s);
  w.threads.advance(5s);
  CHECK(*again == "known");
}

TEST_CASE("who still waits is told why when it ends") {
  world w;
  seeker s(w);
  const auto answer = s.look_up(named("anna"));

  s.look_ups.close({error_code::shutting_down, "this node is stopping"});
  w.settle();

  CHECK(*answer == "shutting_down");
}
