#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace flock {

/// Opened once, by any thread; one thread waits for it, and may destroy it when wait() has returned.
class gate {
 public:
  void open();
  bool is_open() const { return open_.load(std::memory_order_acquire); }
  void wait();

  // For whoever gives the waiting thread something else to do (transport::await).

  /// Waits until it is open or call() says that there is something to do.
  void wait_for_call();
  void call();
  /// Whoever opens it from another thread calls `wake`, until stop_working(). The waiting thread says so before it does
  /// something in which it cannot see that the gate is open.
  void start_working(std::function<void()> wake);
  void stop_working();

 private:
  std::atomic<bool> open_ = false;
  std::mutex mutex_;  // guards all below, and opening
  std::condition_variable changed_;
  bool called_ = false;
  std::function<void()> wake_;
  std::thread::id worker_;
};

}  // namespace flock
