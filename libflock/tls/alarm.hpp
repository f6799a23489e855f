#pragma once

#include <chrono>

namespace flock::internal {

/// Wakes one of the threads that wait for it, at a time that another thread has set. To set it costs a short system
/// call, whereas waking a thread that then waits for the time itself costs that thread's turn at a CPU, too.
class alarm {
 public:
  /// Throws std::system_error (no descriptor is left).
  alarm();
  ~alarm();
  alarm(const alarm&) = delete;
  alarm& operator=(const alarm&) = delete;

  /// Rings so much later, once, whatever was set before. Any thread.
  void set(std::chrono::nanoseconds later);
  /// Until it rings. Of several threads one is woken; if none waits, the next one is.
  void wait();

 private:
  const int fd_;
};

}  // namespace flock::internal
