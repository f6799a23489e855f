#pragma once

#include "actors/resource/action_context.hpp"
#include "actors/resource/declaration.hpp"
#include "actors/resource/joint_action.hpp"
#include "libflock/seams/runtime.hpp"
#include <flock/clock.hpp>
#include <flock/error.hpp>
#include <flock/name.hpp>
#include <flock/value.hpp>

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

namespace flock {

/// The actions of one declared resource: the one under way, those that wait for it, and how the last one ended. It
/// outlives changes of the declaration, and the actor that takes the messages. Safe for threads.
class resource_work : public std::enable_shared_from_this<resource_work> {
 public:
  /// What it uses of its node, which outlives it. The functions are called on any thread.
  struct surroundings {
    runtime& threads;
    const clock& time;
    std::stop_token stopping;  ///< ends the commands that run
    std::function<void(std::string_view)> log;
    /// An action updated the resource. Called before the action is answered.
    std::function<void(const resource_name&, const std::string& action, const action_context&)> updated;
    std::string node{};  ///< its id
  };

  resource_work(surroundings around, std::shared_ptr<const declaration> declared);

  /// Declares the same resource anew. What waits goes on under it; the action under way ends under the one before.
  void declare(std::shared_ptr<const declaration> anew);
  /// It is declared no more: what waits is answered with down, not begun; the action under way goes on and is answered.
  void withdraw();
  /// It is declared elsewhere: the same, but what waits is not answered here. \returns it, in its order
  std::deque<joint_action> release();
  /// What waited elsewhere goes on here.
  void take(joint_action w);

  /// Wants an action, of those that its type has. It is answered with what resource::invoke tells of.
  void add(const std::string& action, joint_action::waiter a);

  /// What the method `state` of a resource answers.
  value state() const;
  std::shared_ptr<const declaration> declared() const;

  /// Actions that may wait for the one under way. Whoever asks more often than this does not look at the answers.
  static constexpr std::size_t max_waiting = 1'000;
  /// Those who may wait for them, some for the same.
  static constexpr std::size_t max_waiters = 10'000;

 private:
  struct ended_action {
    std::string action;
    outcome how;
    wall_time at;
    std::string run;
    std::optional<std::string> why;
  };

  std::optional<std::string> enqueue(const std::string& action, joint_action::waiter& a);
  bool is_first();
  void begin_next();
  std::optional<joint_action> next();
  void finish(joint_action w);
  void refuse(const joint_action& w, error_code code, std::string_view why) const;
  action_report try_to_perform(const declaration& what, const std::string& action, const action_context& why) const;
  void remember(const declaration& what, const std::string& action, const action_context& why,
                const action_report& report);

  const surroundings around_;
  mutable std::mutex mutex_;  // guards all below
  std::shared_ptr<const declaration> declared_;
  std::deque<joint_action> waiting_;
  std::size_t waiters_ = 0;  // of those that wait
  bool running_ = false;
  std::optional<ended_action> last_;
};

}  // namespace flock
