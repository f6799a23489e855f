#pragma once

#include "libflock/core/node_core.hpp"
#include "libflock/seams/memory_registry.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tools/sim/manual_clock.hpp"
#include "tools/sim/manual_runtime.hpp"
#include "tools/sim/manual_storage.hpp"
#include "tools/sim/memory_network.hpp"

#include <memory>
#include <string>

namespace flock::fuzz {

/// A life of node a, over seams in memory, on a disk that outlives it.
struct solitary_node {
  explicit solitary_node(testing::manual_storage& on) : disk(on) {
    const auto started = core->start();
    require(started.has_value(), "a node starts: " + (started ? "" : started.error().what));
  }
  ~solitary_node() {
    core->stop([] {});
    threads.run_ready();
    wire->stop();
    tree.stop();
    threads.stop(time.now());
  }

  /// Lets time pass. What is not whole afterwards ends the process.
  void live(milliseconds for_long) {
    threads.advance(for_long);
    const auto wrong = core->check();
    require(!wrong, "all parts are whole: " + wrong.value_or(""));
  }

  testing::manual_storage& disk;
  testing::manual_clock time;
  testing::manual_runtime threads{time};
  testing::memory_network network{threads, time};
  hello self{"/flock", *node_id::parse("a"), {1, 1}, "0", "", "", disk.id()};
  std::unique_ptr<transport> wire = network.attach(self);
  memory_registry tree{make_memory_tree(), threads.make_mailbox("registry")};
  std::shared_ptr<node_core> core =
      node_core::make({threads, *wire, time, tree, disk}, {.self = self, .advertise = {}, .about = {}, .log = {}});
};

}  // namespace flock::fuzz
