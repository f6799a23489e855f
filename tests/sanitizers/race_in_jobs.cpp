#include "tests/support/real_threads.hpp"

/// Jobs of two mailboxes change one number without a lock: ThreadSanitizer has to say so.
int main() {
  const auto threads = flock::testing::make_runtime();
  const auto one = threads->make_mailbox("one");
  const auto other = threads->make_mailbox("other");
  flock::testing::signal one_runs, other_runs;
  int number = 0;

  // Each goes on when both are in their turns: then nothing is left that would put one before the other.
  const auto race = [&number](flock::testing::signal& mine, const flock::testing::signal& others) {
    mine.open();
    if (others.passed()) ++number;
  };
  one->post([&] { race(one_runs, other_runs); });
  other->post([&] { race(other_runs, one_runs); });

  return flock::testing::drained(*one) && flock::testing::drained(*other) ? 0 : 1;
}
