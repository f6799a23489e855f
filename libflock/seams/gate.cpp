#include "libflock/seams/gate.hpp"

#include <utility>

namespace flock {

void gate::open() {
  std::lock_guard lock(mutex_);  // held to the end: the one who waits may destroy the gate as soon as it has the lock
  open_.store(true, std::memory_order_release);
  if (wake_ && worker_ != std::this_thread::get_id()) wake_();
  changed_.notify_one();
}

void gate::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return is_open(); });
}

void gate::wait_for_call() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return is_open() || called_; });
  called_ = false;
}

void gate::call() {
  std::lock_guard lock(mutex_);
  called_ = true;
  changed_.notify_one();
}

void gate::start_working(std::function<void()> wake) {
  std::lock_guard lock(mutex_);
  wake_ = std::move(wake);
  worker_ = std::this_thread::get_id();
}

void gate::stop_working() {
  std::lock_guard lock(mutex_);
  wake_ = {};
}

}  // namespace flock
