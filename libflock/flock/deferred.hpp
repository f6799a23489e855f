#pragma once

#include <flock/error.hpp>

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace flock {

/// An answer that comes later. A method that cannot answer in its own turn returns one, keeps a copy, and settles it
/// when it can; copies share the answer. One that is dropped unsettled by all that could settle it answers maybe_done.
template <class T> class deferred {
 public:
  using continuation = std::function<void(result<T>)>;

  deferred() : state_(std::make_shared<state>()) {}

  /// The first call counts; later ones are ignored. From any thread.
  void settle(result<T> answer) const {
    continuation next;
    {
      std::lock_guard lock(state_->mutex);
      if (state_->settled) return;
      state_->settled = true;
      if (!state_->next) {
        state_->early.emplace(std::move(answer));
        return;
      }
      next = std::exchange(state_->next, {});
    }
    next(std::move(answer));
  }

  /// Runs f with the answer: at once if it is there, else on the thread that settles it. Once for each deferred.
  void then(continuation f) const {
    {
      std::lock_guard lock(state_->mutex);
      if (!state_->early) {
        state_->next = std::move(f);
        return;
      }
    }
    f(std::move(*state_->early));
  }

 private:
  struct state {
    ~state() {
      if (!settled && next) next(error{error_code::maybe_done, "dropped without an answer"});
    }
    std::mutex mutex;  // guards all below
    bool settled = false;
    continuation next;
    std::optional<result<T>> early;
  };

  std::shared_ptr<state> state_;
};

}  // namespace flock
