#pragma once

#include <cassert>
#include <concepts>
#include <memory>
#include <type_traits>
#include <utility>

namespace flock {

/// A job to run once: like std::function<void()>, but it may own what cannot be copied.
class task {
 public:
  task() = default;
  template <class F>
  requires(!std::same_as<std::remove_cvref_t<F>, task> && std::invocable<F&>) task(F&& f)
      : body_(std::make_unique<body_of<std::decay_t<F>>>(std::forward<F>(f))) {}

  explicit operator bool() const { return body_ != nullptr; }
  void operator()() {
    assert(body_);
    body_->run();
  }

 private:
  struct body {
    virtual ~body() = default;
    virtual void run() = 0;
  };
  template <class F> struct body_of final : body {
    template <class G> explicit body_of(G&& g) : f(std::forward<G>(g)) {}
    void run() override { f(); }
    F f;
  };

  std::unique_ptr<body> body_;
};

}  // namespace flock
