#pragma once

#include "libflock/seams/runtime.hpp"
#include <flock/actor_type.hpp>
#include <flock/clock.hpp>
#include <flock/error.hpp>
#include <flock/name.hpp>
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
/// threads. The runtime stops before the host goes.
class actor_host {
 public:
  using factory = std::function<std::unique_ptr<actor_object>()>;

  struct options {
    std::string node;                 ///< named in errors; may be empty
    std::size_t mailbox = 10'000;     ///< messages that wait for one actor; more are refused
    milliseconds restart_first{100};  ///< before an actor that threw is made anew; doubles
    milliseconds restart_last{30'000};
    milliseconds healthy{60'000};  ///< without a failure for so long, it starts from restart_first again
  };

  /// What happens to actors, for the registry, events and monitors. Called on any thread; must not block.
  struct listener {
    std::function<void(const actor_name&)> published;
    std::function<void(const actor_name&)> unpublished;
    /// It threw, when it was made or called, and is made anew after the backoff.
    std::function<void(const actor_name&, const error& why)> restarted;
  };

  actor_host(runtime& threads, const clock& time, options o, listener to);
  ~actor_host();

  /// Makes the object in its own turn and takes messages from now on.
  /// \param type  what kind of actor it is, shown to people: the class, or the type of a resource
  /// \param does  what it does, in a few words, likewise; may be empty
  /// Errors: conflict (the name is taken), shutting_down
  result<void> publish(const actor_name& name, std::string type, factory make, std::string does = {});

  /// The actor of that name becomes another one, if there is one: to others it was never gone, and its messages wait
  /// until the new object is made. \returns whether there is one
  bool replace(const actor_name& name, const std::string& type, const factory& make);

  /// No message is handled afterwards; those that wait are answered with down.
  void unpublish(const actor_name& name);

  /// Calls a method in the actor's turn and answers exactly once, on any thread.
  /// While the object is made anew, its messages wait.
  /// \param by  who asks; the method does not begin after its `until`
  /// \param starts  asked when its turn has come, before the method runs, on any thread: whether it is to; may be empty
  /// Errors: not_found, refused (its mailbox is full, or it was not to start: surely not done), timeout (it would have
  /// begun too late: surely not done), down (it threw, the text says what, or was unpublished), maybe_done (it
  /// dropped the call), and those of the method
  void invoke(asker by, const actor_name& name, std::string method, value::list arguments, std::function<bool()> starts,
              responder answer);

  /// Follows a method that yields many values: answers exactly once, on any thread, with its stream.
  /// Errors: as invoke, but for maybe_done
  void follow(asker by, const actor_name& name, std::string method, value::list arguments, stream_responder answer);

  /// Calls a method in the actor's turn; nobody learns what it answers.
  /// Errors: not_found, refused (its mailbox is full)
  result<void> deliver(asker by, const actor_name& name, std::string method, value::list arguments);

  struct published_actor {
    actor_name name;
    std::string type;
    std::string does;
    std::vector<method_info> methods;
    std::size_t waiting = 0;
    int restarts = 0;
  };
  std::vector<published_actor> list() const;
  std::optional<published_actor> find(const actor_name& name) const;
  bool has(const actor_name& name) const;

  /// Calls f once, on any thread: with true as soon as the actor is here, or with false at `until` or stop().
  void when_published(const actor_name& name, time_point until, std::function<void(bool)> f);

  /// Unpublishes all; publish() fails from now on.
  void stop();

  static constexpr time_point no_deadline = time_point::max();

 private:
  class cell;
  using waiter = std::shared_ptr<std::function<void(bool)>>;

  std::shared_ptr<cell> cell_of(const actor_name& name) const;
  error no_actor(const actor_name& name) const;
  void give_up(const actor_name& name, const waiter& late);

  runtime& threads_;
  const clock& time_;
  const options options_;
  const std::shared_ptr<const listener> listener_;
  const std::shared_ptr<mailbox> waiters_turn_;
  mutable std::mutex mutex_;  // guards all below
  std::map<actor_name, std::shared_ptr<cell>> cells_;
  std::multimap<actor_name, waiter> waiters_;
  bool stopped_ = false;
};

}  // namespace flock
