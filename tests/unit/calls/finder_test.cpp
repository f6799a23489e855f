#include "libflock/calls/finder.hpp"

#include "tests/support/checked.hpp"
#include "tests/support/members.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <vector>

namespace {

using namespace flock;
using namespace flock::testing::members;
using namespace std::chrono_literals;

/// A node that finds actors, put together as a node is.
struct seeker final : membership::listener {
  explicit seeker(world& where)
      : in(where),
        tree(in.tree, in.threads.make_mailbox("registry")),
        turn(in.threads.make_mailbox("node")),
        part(tree, turn, in.time, *this),
        actors(id("seeker"), in.time, nodes, part,
               {.await = [](auto&&...) {},
                .at = [this](time_point when, std::function<void()> f) { turn->post_at(when, std::move(f)); },
                .is_here = [](const actor_name&) { return false; }}) {
    part.join(id("seeker"), life(99), with_role("none"));
  }
  ~seeker() override { tree.stop(); }

  void registry_changed(session_state) override {}
  void joined() override {}
  void id_taken(const node_life&) override {}
  void incompatible(const error&) override {}
  void listed(const node_id&, const node_life&) override {}
  void unlisted(const node_id&) override {}
  void described(const node_id&, const node_attributes&) override {}
  void publishers(const actor_name& name, const std::set<node_id>& all) override { actors.publishers(name, all); }
  void lists_read() override {}

  world& in;
  memory_registry tree;
  std::shared_ptr<mailbox> turn;
  membership part;
  directory nodes{id("seeker"), {}};
  testing::checked<finder> actors;
};

const auto toaster = *actor_name::parse("toaster");

}  // namespace

TEST_CASE("who asks for all and hears nothing in time leaves nothing behind when the registry is back") {
  world w;
  seeker s(w);
  w.settle();
  s.tree.suspend();
  std::optional<error_code> answer;

  s.actors.find_all(toaster, w.time.now() + 2s, [&](const auto& found) { answer = found.error().code; });
  w.threads.advance(3s);
  CHECK(answer == error_code::unreachable);
  s.tree.resume();
  w.threads.advance(1s);

  flock::testing::check_whole(s.actors);
}
