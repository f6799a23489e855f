#include "libflock/values/invariant.hpp"

#include <cstdio>
#include <cstdlib>

namespace flock::internal {

namespace {

thread_local int askers = 0;

}  // namespace

void assert_whole(const broken& b) {
  if (!b || askers > 0) return;
  std::fprintf(stderr, "flock: an invariant is broken: %s\n", b->c_str());
  std::abort();
}

asks_itself::asks_itself() { ++askers; }
asks_itself::~asks_itself() { --askers; }

}  // namespace flock::internal
