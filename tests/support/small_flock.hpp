#pragma once

#include "libflock/core/node_core.hpp"
#include "libflock/seams/memory_registry.hpp"
#include "tools/sim/manual_clock.hpp"
#include "tools/sim/manual_runtime.hpp"
#include "tools/sim/manual_storage.hpp"
#include "tools/sim/memory_network.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace flock::testing {

/// An actor that counts and says who asked, and one method of which never answers.
struct counter {
  int count = 0;
  int add(int n) { return count += n; }
  deferred<int> never() {
    kept.emplace_back();
    return kept.back();
  }
  void note(const value&) { ++count; }
  std::string who(const asker& by, const std::optional<value>&) const { return by.node.str(); }
  std::vector<deferred<int>> kept;
  template <class Api> static void describe(Api& api) {
    api.method("add", &counter::add)
        .method("never", &counter::never)
        .method("note", &counter::note)
        .method("who", &counter::who);
  }
};

inline node_id id(const std::string& text) { return *node_id::parse(text); }

/// Nodes in one thread: real cores over a network, registry and storage in memory.
struct small_flock {
  manual_clock time;
  manual_runtime threads{time};
  memory_network network{threads, time};
  std::shared_ptr<memory_tree> tree = make_memory_tree();

  struct member {
    std::unique_ptr<transport> wire;
    std::unique_ptr<memory_registry> registry;
    std::unique_ptr<manual_storage> disk;
    std::shared_ptr<node_core> core;
    node_core* operator->() const { return core.get(); }
  };
  std::map<std::string, member> members;
  std::uint64_t lives = 0;

  ~small_flock() {
    for (auto& [name, m] : members) m.core->stop([] {});
    threads.run_ready();
    for (auto& [name, m] : members) m.wire->stop();
    threads.stop(time.now());
  }

  member& start(const std::string& name, bool resumed = true, const std::string& address = {}) {
    auto& m = members[name];
    hello self{"/flock", id(name), {1, ++lives}, "0", address, "", name + std::to_string(lives)};
    if (m.disk)
      self.journal = m.disk->id();
    else
      m.disk = std::make_unique<manual_storage>(self.journal);
    m.wire = network.attach(self);
    m.registry = std::make_unique<memory_registry>(tree, threads.make_mailbox("registry"));
    node_core::options o{.self = self, .advertise = {}, .about = {}, .log = {}};
    m.core = node_core::make({threads, *m.wire, time, *m.registry, *m.disk}, std::move(o));
    REQUIRE(m.core->start());
    if (resumed) m.core->resume();
    settle();
    return m;
  }

  /// The process is gone, without a word.
  void kill(const std::string& name) {
    network.kill(id(name));
    auto& m = members.at(name);
    m.registry->expire();  // as its session's time-out does
    m.core->home().close();
    m.registry->stop();
    settle();
  }

  /// Killed, and started again with what its disk has kept.
  member& restart(const std::string& name) {
    kill(name);
    auto& m = members.at(name);
    m.disk->crash();
    m.disk->release();
    return start(name);
  }

  void settle() { threads.advance(milliseconds(100)); }

  void publish(member& m, const std::string& name) {
    auto make = [] { return std::make_unique<described_actor<counter>>(std::make_unique<counter>()); };
    REQUIRE(m->publish(*actor_name::parse(name), "counter", make));
    settle();
  }

  /// Asks and lets time pass until the answer is there.
  result<value> ask(member& m, const std::string& where, const std::string& method, value::list arguments,
                    milliseconds within = milliseconds(5000)) {
    std::optional<result<value>> answer;
    m->ask(*address::parse(where), method, std::move(arguments), time.now() + within,
           [&](result<value> r) { answer = std::move(r); });
    threads.advance(within + milliseconds(1));
    REQUIRE_MESSAGE(answer.has_value(), "no answer by the deadline");
    return *answer;
  }

  std::vector<std::string> events(member& m) {
    std::vector<std::string> out;
    const auto all = m->events().since({});
    for (const auto& e : all->events) out.push_back(e.type);
    return out;
  }
};

/// Nodes a and b; b publishes a counter.
struct counting_pair : small_flock {
  counting_pair() { publish(b, "counter"); }

  void connect() { REQUIRE(ask(a, "b/counter", "add", {0})); }

  member& a = start("a");
  member& b = start("b");
};

inline bool contains(const std::vector<std::string>& all, const std::string& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

inline error_code code(const result<value>& r) {
  REQUIRE_FALSE(r.has_value());
  return r.error().code;
}

}  // namespace flock::testing
