#pragma once

#include "libflock/caf/caf_runtime.hpp"

#include <chrono>
#include <future>
#include <memory>

// For tests of what runs on real threads.

namespace flock::testing {

inline time_point soon() { return system_clock().now() + std::chrono::seconds(20); }

inline std::unique_ptr<runtime> make_runtime(int workers = 2) {
  return internal::make_caf_runtime(system_clock(), workers);
}

/// Opens once; whoever waits for it gives up in the end.
class signal {
 public:
  void open() {
    auto keep = opened_;  // who waits may be gone before set_value() returns
    keep->set_value();
  }
  bool passed() const { return future_.wait_until(soon()) == std::future_status::ready; }

 private:
  std::shared_ptr<std::promise<void>> opened_ = std::make_shared<std::promise<void>>();
  std::shared_future<void> future_ = opened_->get_future().share();
};

/// Until the jobs that were posted before have run.
inline bool drained(mailbox& box) {
  signal done;
  box.post([&] { done.open(); });
  return done.passed();
}

}  // namespace flock::testing
