#pragma once

#include "libflock/seams/runtime.hpp"
#include "tools/sim/manual_clock.hpp"

#include <cstdint>
#include <memory>
#include <optional>

namespace flock::testing {

/// A runtime in the thread that calls it: jobs run inside run_ready() and advance(), nowhere else. The same program
/// with the same seed runs them in the same order.
///
/// Each turn is one job of one mailbox. A blocking job takes its turn like a mailbox of its own; current_mailbox() is
/// null in it. What a job throws goes up to the test.
class manual_runtime final : public runtime {
 public:
  /// Mailboxes take turns, in the order in which they got work.
  explicit manual_runtime(manual_clock& time);
  /// Whose turn is next is random.
  manual_runtime(manual_clock& time, std::uint64_t seed);
  ~manual_runtime() override;

  std::shared_ptr<mailbox> make_mailbox(std::string_view label) override;
  void run_blocking(task job) override;
  /// Closes every mailbox, now and later ones.
  void stop(time_point until) override;

  /// Runs one job that is due. \returns the mailbox whose turn that was; null if nothing is due
  std::shared_ptr<const mailbox> run_one();

  /// Runs all that is due, and what becomes due by that, until nothing is. \returns how many jobs ran
  /// Throws std::runtime_error after a million jobs: they keep each other busy for ever.
  std::size_t run_ready();

  /// Lets time pass, from one timer to the next, and runs all that is due at each of them.
  void advance(std::chrono::nanoseconds by);

  /// When the first job that waits for its time is due.
  std::optional<time_point> next_timer() const;

 private:
  class schedule;
  class lane;

  std::shared_ptr<schedule> schedule_;
};

}  // namespace flock::testing
