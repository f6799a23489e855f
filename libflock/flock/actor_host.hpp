#pragma once

#include <flock/actor_type.hpp>
#include <flock/clock.hpp>
#include <flock/error.hpp>
#include <flock/name.hpp>
#include <flock/runtime.hpp>
#include <flock/value.hpp>

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flock {

/// The actors that this node publishes: each has a mailbox and an object, which is made anew when it throws. Safe for
/// threads.
class actor_host {
 public:
  using factory = std::function<std::unique_ptr<actor_object>()>;

  struct options {
    std::size_t mailbox = 10'000;     ///< messages that wait for one actor; more are refused
    milliseconds restart_first{100};  ///< before an actor that threw is made anew; doubles
    milliseconds restart_last{30'000};
    milliseconds healthy{60'000};  ///< without a failure for so long, it starts from restart_first again
  };

  /// What happens to actors, for the registry, events and monitors. Called on any thread; must not block.
  struct reports {
    std::function<void(const actor_name&)> published;
    std::function<void(const actor_name&)> unpublished;
    std::function<void(const actor_name&, const error& why)> restarted;
  };

  actor_host(runtime& threads, const clock& time, options o, reports r);
  ~actor_host();

  /// Makes the object in its own turn and takes messages from now on.
  /// \param type  what kind of actor it is, shown to people: the class, or the type of a resource
  /// Errors: conflict (the name is taken), shutting_down
  result<void> publish(const actor_name& name, std::string type, factory make);

  /// No message is handled afterwards; those that wait are answered with down.
  void unpublish(const actor_name& name);

  /// Calls a method in the actor's turn and answers exactly once, on any thread.
  /// \param started  called when its turn has come, before the method runs; may be empty
  /// Errors: not_found, refused (its mailbox is full), timeout (its turn came after `until`: surely not done), down (it
  /// threw, the text says what, or was unpublished), and those of the method
  void invoke(const actor_name& name, std::string method, value::list arguments, time_point until,
              std::function<void()> started, responder answer);

  struct published_actor {
    actor_name name;
    std::string type;
    std::vector<method_info> methods;
    std::size_t waiting = 0;
    int restarts = 0;
  };
  std::vector<published_actor> list() const;
  std::optional<published_actor> find(const actor_name& name) const;
  bool has(const actor_name& name) const;

  /// Calls f once: with true as soon as the actor is here, or with false at `until`.
  void when_published(const actor_name& name, time_point until, std::function<void(bool)> f);

  /// Unpublishes all; publish() fails from now on.
  void stop();

  static constexpr time_point no_deadline = time_point::max();

 private:
  class cell;

  runtime& threads_;
  const clock& time_;
  options options_;
  reports reports_;
  std::shared_ptr<mailbox> waiters_turn_;
  mutable std::mutex mutex_;  // guards all below
  std::map<actor_name, std::shared_ptr<cell>> cells_;
  std::multimap<actor_name, std::shared_ptr<std::function<void(bool)>>> waiters_;
  bool stopped_ = false;
};

}  // namespace flock
