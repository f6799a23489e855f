#include "libflock/caf/caf_scheduler.hpp"

#include <caf/actor_system.hpp>
#include <caf/logger.hpp>
#include <caf/scoped_execution_unit.hpp>

#include <atomic>

namespace flock::internal {

namespace {

class kept_turns;

/// Where what wakes on this thread is kept; null on most threads.
thread_local kept_turns* kept_here = nullptr;

/// The place for the one actor that is kept: taken by its thread, or by whoever hands it over.
class kept_turns final : public turn_taker {
 public:
  explicit kept_turns(caf_scheduler& workers) : workers_(workers), here_(&workers.system()) {}
  ~kept_turns() override {
    hand_over();
    if (kept_here == this) kept_here = nullptr;
    caf::logger::set_current_actor_system(nullptr);  // for whose end the system would wait
  }

  void keep() override {
    kept_here = this;
    keeps_ = true;
    handed_over_ = false;
  }

  bool has_kept() const override { return kept_ != nullptr; }
  bool was_handed_over() const { return handed_over_; }

  void run() override {
    auto* woken = kept_.exchange(nullptr);
    while (woken) {
      auto* again = resume(*woken);
      woken = kept_.exchange(nullptr);
      // The two take turns here: what one has woken starts soonest on the thread that has its data at hand.
      if (again && !take(again)) workers_.give_to_workers(again);
      if (!woken) woken = kept_.exchange(nullptr);
    }
  }

  void run_one() override {
    keeps_ = false;
    if (auto* woken = kept_.exchange(nullptr))
      if (auto* again = resume(*woken)) workers_.give_to_workers(again);
  }

  void hand_over() override {
    keeps_ = false;
    handed_over_ = true;
    if (auto* woken = kept_.exchange(nullptr)) workers_.give_to_workers(woken);
  }

  /// \returns whether it has found a place
  bool take(caf::resumable* woken) {
    caf::resumable* nothing = nullptr;
    if (!keeps_ || !kept_.compare_exchange_strong(nothing, woken)) return false;
    if (!keeps_) hand_over();  // it may have come too late for the one that asked for it
    return true;
  }

 private:
  /// \returns it if it wants another turn, else null
  caf::resumable* resume(caf::resumable& woken) {
    switch (woken.resume(&here_, caf_scheduler::messages_per_turn)) {
      case caf::resumable::resume_later:
        return &woken;
      case caf::resumable::done:
      case caf::resumable::awaiting_message:
        caf::intrusive_ptr_release(&woken);
        return nullptr;
      case caf::resumable::shutdown_execution_unit:
        return nullptr;  // meant for workers
    }
    return nullptr;
  }

  caf_scheduler& workers_;
  caf::scoped_execution_unit here_;
  std::atomic<bool> keeps_ = false;
  std::atomic<bool> handed_over_ = false;  // since keep()
  std::atomic<caf::resumable*> kept_ = nullptr;
};

}  // namespace

caf::actor_system::module* caf_scheduler::make(caf::actor_system& system, caf::detail::type_list<>) {
  return std::make_unique<caf_scheduler>(system).release();
}

caf_scheduler& caf_scheduler::of(caf::actor_system& system) { return static_cast<caf_scheduler&>(system.scheduler()); }

std::unique_ptr<turn_taker> caf_scheduler::make_turn_taker() { return std::make_unique<kept_turns>(*this); }

bool caf_scheduler::turn_should_end() { return kept_here && (kept_here->has_kept() || kept_here->was_handed_over()); }

void caf_scheduler::enqueue(caf::resumable* woken) {
  if (!kept_here || !kept_here->take(woken)) give_to_workers(woken);
}

}  // namespace flock::internal
