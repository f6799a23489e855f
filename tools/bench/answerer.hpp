#pragma once

#include "tools/bench/stage.hpp"
#include "tools/cluster/child.hpp"
#include <flock/node.hpp>

#include <cstdint>
#include <string>

namespace flock::bench {

/// The actor at the other end of calls and flows.
struct answerer {
  std::int64_t taken_in = 0;

  std::string echo(std::string text) { return text; }
  void take(const std::string&) { ++taken_in; }
  std::int64_t taken() { return taken_in; }

  template <class Api> static void describe(Api& api) {
    api.method("echo", &answerer::echo).method("take", &answerer::take).method("taken", &answerer::taken);
  }
};

/// A node with an answerer.
role answerer_role();

/// Two nodes: one in a process of its own, with an answerer, and one here that has found it.
struct answering_pair {
  testing::child process;  ///< the answerer's
  node here;
  ref<answerer> actor;

  /// \param id  of the node in this process. Errors: those of stage and of node::find()
  static result<answering_pair> start(const stage& on, const std::string& id);
};

}  // namespace flock::bench
