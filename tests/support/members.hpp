#pragma once

#include "libflock/membership/membership.hpp"
#include "libflock/seams/memory_registry.hpp"
#include "tools/sim/manual_clock.hpp"
#include "tools/sim/manual_runtime.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

/// Memberships of several nodes in one registry in memory.
namespace flock::testing::members {

using names = std::vector<std::string>;

inline node_id id(const std::string& text) { return *node_id::parse(text); }
inline actor_name actor(const std::string& text) { return *actor_name::parse(text); }

inline node_life life(std::uint64_t number) { return {{0, number}, "127.0.0.1:" + std::to_string(number), "1.0", {}}; }

inline node_attributes with_role(const std::string& role) {
  node_attributes about;
  about.environment = "production";
  about.roles = {role};
  return about;
}

/// A registry that several members use.
struct world {
  manual_clock time;
  manual_runtime threads{time};
  std::shared_ptr<memory_tree> tree = make_memory_tree();

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
  void incompatible(const error& why) override { told.push_back(why.what); }
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
  memory_registry tree;
  std::shared_ptr<mailbox> turn;
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

  std::optional<registry_entry> get(const std::string& path) {
    std::optional<registry_entry> found;
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
  memory_registry tree;
};

}  // namespace flock::testing::members
