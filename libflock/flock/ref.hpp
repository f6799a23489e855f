#pragma once

#include <flock/actor_type.hpp>
#include <flock/clock.hpp>
#include <flock/deferred.hpp>
#include <flock/error.hpp>
#include <flock/name.hpp>
#include <flock/value.hpp>

#include <cassert>
#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace flock {

/// What a ref needs of its node. Safe for threads.
class caller {
 public:
  virtual ~caller() = default;

  /// Answers exactly once, by the deadline: on the asking actor's mailbox if an actor asks, else on any thread.
  virtual void ask(const address& to, std::string method, value::list arguments, time_point until,
                   responder answer) = 0;
  /// Blocks. Errors: refused when an actor calls it in its turn, where only ask() is allowed.
  virtual result<value> call(const address& to, std::string method, value::list arguments, time_point until) = 0;
  /// Sends without an answer; see ref::send.
  virtual result<void> send(const address& to, std::string method, value::list arguments) = 0;
  /// Durable: a notification through the outbox. \returns its id once it is accepted by the local journal
  virtual result<std::string> tell(const address& to, std::string method, value::list arguments) = 0;
  /// \returns a handle for forget_monitor()
  virtual std::uint64_t monitor(const address& whom, std::function<void(const error&)> down) = 0;
  virtual void forget_monitor(std::uint64_t handle) = 0;

  virtual time_point now() const = 0;
  virtual milliseconds call_timeout() const = 0;
};

/// An actor somewhere, known by its address. It stays valid when the actor moves, restarts or is gone: calls then say
/// so. Copies are cheap.
template <describable T> class ref {
  template <class M> using answer_type = typename detail::answer_of<typename detail::method_traits<M>::returned>::type;

 public:
  ref(std::shared_ptr<caller> by, address to) : caller_(std::move(by)), to_(std::move(to)) {}

  const address& where() const { return to_; }

  /// Calls a method and waits for its answer, at most the node's call-timeout. For programs and tests; an actor uses
  /// ask().
  ///
  ///     result<std::string> blow = foe.call(&itchy::fight, 1);
  ///
  /// Errors: those of the method, and timeout, unreachable (surely not done), maybe_done (sent, no answer), down,
  /// not_found, refused
  template <class M, class... A> auto call(M method, A&&... arguments) const {
    return call_within(caller_->call_timeout(), method, std::forward<A>(arguments)...);
  }

  template <class M, class... A>
  auto call_within(milliseconds at_most, M method, A&&... arguments) const -> result<answer_type<M>> {
    auto packed = pack(method, std::forward<A>(arguments)...);
    auto answer = caller_->call(to_, name_of(method), std::move(packed), caller_->now() + at_most);
    return unpack<answer_type<M>>(std::move(answer));
  }

  /// Calls a method; the answer comes in the asking actor's own turn.
  ///
  ///     foe.ask(&itchy::fight, 1).then([this](flock::result<std::string> blow) { ... });
  template <class M, class... A> auto ask(M method, A&&... arguments) const -> deferred<answer_type<M>> {
    deferred<answer_type<M>> later;
    caller_->ask(to_, name_of(method), pack(method, std::forward<A>(arguments)...),
                 caller_->now() + caller_->call_timeout(),
                 [later](result<value> answer) { later.settle(unpack<answer_type<M>>(std::move(answer))); });
    return later;
  }

  /// Sends it a message: delivered at most once, in the order in which this thread sent, and nobody learns what became
  /// of it. For streams of small things, of which many are lost with a connection; what must arrive is told or asked.
  /// The actor takes at most 10,000 messages that wait; who sends more than it can take asks it something now and then.
  /// Errors, nothing was sent: unreachable (no connection now; one is being made), refused (too much waits for that
  /// node, or for that actor of this node), not_found (an actor of this node)
  template <class M, class... A> result<void> send(M method, A&&... arguments) const {
    return caller_->send(to_, name_of(method), pack(method, std::forward<A>(arguments)...));
  }

  /// Tells it durably: journaled here before this returns, delivered once, in order, whenever its node is there.
  /// \returns the notification's id
  template <class M, class... A> result<std::string> tell(M method, A&&... arguments) const {
    return caller_->tell(to_, name_of(method), pack(method, std::forward<A>(arguments)...));
  }

  /// Calls f once when the actor or its node ends; at once if it is not there now.
  void on_down(std::function<void(const error& why)> f) const { caller_->monitor(to_, std::move(f)); }

 private:
  template <class M> static std::string name_of(M method) {
    static_assert(std::is_same_v<typename detail::method_traits<M>::object, T> ||
                      std::is_base_of_v<typename detail::method_traits<M>::object, T>,
                  "a method of another class");
    const auto* name = method_table<T>::of().name_of(method);
    assert(name && "describe() does not list this method");
    return *name;
  }

  template <class M, class... A> static value::list pack(M, A&&... arguments) {
    using parameters = typename detail::method_traits<M>::arguments;
    static_assert(sizeof...(A) == std::tuple_size_v<parameters>, "another number of arguments than the method takes");
    return pack_as(static_cast<parameters*>(nullptr), std::forward<A>(arguments)...);
  }
  template <class... P, class... A> static value::list pack_as(std::tuple<P...>*, A&&... arguments) {
    value::list packed;
    packed.reserve(sizeof...(P));
    (packed.push_back(value_traits<P>::to(P(std::forward<A>(arguments)))), ...);
    return packed;
  }

  template <class R> static result<R> unpack(result<value> answer) {
    if (!answer) return answer.error();
    if constexpr (std::is_void_v<R>)
      return {};
    else
      return value_traits<R>::from(*std::move(answer));
  }

  std::shared_ptr<caller> caller_;
  address to_;
};

}  // namespace flock
