#pragma once

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

}  // namespace flock::bench
