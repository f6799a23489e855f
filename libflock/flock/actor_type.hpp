#pragma once

#include <flock/clock.hpp>
#include <flock/deferred.hpp>
#include <flock/error.hpp>
#include <flock/name.hpp>
#include <flock/stream.hpp>
#include <flock/value.hpp>
#include <flock/value_cast.hpp>

#include <any>
#include <concepts>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace flock {

/// One method of an actor type, as people and programs in other languages see it.
struct method_info {
  std::string name;
  std::string doc;
  std::vector<std::string> parameters;  ///< names of value types: "integer", "list of text"
  std::string returns;                  ///< likewise; "nothing" for void
  bool streams = false;                 ///< it yields many of what it returns, and is followed, not called

  friend bool operator==(const method_info&, const method_info&) = default;
};

/// Who calls a method, and how long they wait. A method that takes it as its first parameter is told by the host of its
/// actor; callers do not pass it, and descriptions do not list it:
///
///     std::string greet(const flock::asker& by, const std::string& word) { return word + ", " + by.node.str(); }
struct asker {
  node_id node;  ///< as its connection has proven it; this node for calls from here; of a notification, its sender
  time_point until = time_point::max();  ///< an answer is worth nothing afterwards; max: the caller has no deadline
};

/// How a call's result comes back: exactly once, at once or later, from any thread.
using responder = std::function<void(result<value>)>;

/// How a stream comes back, or why there is none: exactly once.
using stream_responder = std::function<void(result<value_stream>)>;

/// Says that the work of a call begins now, and whether it may: if its time has passed, it must not, and is answered
/// already. Once for each call, from any thread.
using beginning = std::function<bool()>;

/// An object behind its description: what the actor host keeps and calls. One call at a time.
class actor_object {
 public:
  virtual ~actor_object() = default;

  virtual const std::vector<method_info>& methods() const = 0;

  /// Calls a method by name, when the call's turn has come. Answers no_such_method and bad_argument by itself; what the
  /// method throws goes up, and the actor is then restarted by its host.
  /// \param begin  to be called before the work begins: at once, or later by an object whose calls wait once more after
  /// their turn has come, as those of a resource do for its slow actions
  virtual void call(const asker& by, std::string_view method, value::list arguments, beginning begin,
                    responder answer) = 0;

  /// Follows a method that yields many values, in its turn. Otherwise as call().
  virtual void follow(const asker& by, std::string_view method, value::list arguments, stream_responder answer);
};

namespace detail {

/// What callers pass to a method, and whether it is told its asker before that.
template <class... A> struct parameters {
  using passed = std::tuple<std::decay_t<A>...>;
  static constexpr bool has_asker = false;
};
template <class First, class... Rest>
requires std::same_as<std::decay_t<First>, asker>
struct parameters<First, Rest...> {
  using passed = std::tuple<std::decay_t<Rest>...>;
  static constexpr bool has_asker = true;
};

/// The parts of a pointer to a method.
template <class M> struct method_traits;

template <class T, class R, class... A> struct method_traits<R (T::*)(A...)> {
  using object = T;
  using returned = std::remove_cvref_t<R>;
  using arguments = typename parameters<A...>::passed;
  static constexpr bool has_asker = parameters<A...>::has_asker;
};
template <class T, class R, class... A> struct method_traits<R (T::*)(A...) const> : method_traits<R (T::*)(A...)> {};
template <class T, class R, class... A>
struct method_traits<R (T::*)(A...) noexcept> : method_traits<R (T::*)(A...)> {};
template <class T, class R, class... A>
struct method_traits<R (T::*)(A...) const noexcept> : method_traits<R (T::*)(A...)> {};

/// What is wrong with calling what is followed, and the other way around.
inline error yields_many(std::string_view method) {
  return {error_code::bad_argument,
          std::string(method) + " yields many values: it is followed on its own node, not called"};
}
inline error yields_one(std::string_view method) {
  return {error_code::bad_argument, std::string(method) + " yields one value: it is called, not followed"};
}

/// What the caller gets: R of R, result<R>, deferred<R> and, many times, stream<R>.
template <class R> struct answer_of { using type = R; };
template <class R> struct answer_of<result<R>> { using type = R; };
template <class R> struct answer_of<deferred<R>> { using type = R; };
template <class R> struct answer_of<stream<R>> { using type = R; };

template <class R> inline constexpr bool is_stream = false;
template <class R> inline constexpr bool is_stream<stream<R>> = true;

template <class R> std::string type_name() {
  if constexpr (std::is_void_v<R>)
    return "nothing";
  else
    return value_traits<R>::name();
}

template <class R> result<value> erase(result<R> r) {
  if (!r) return r.error();
  if constexpr (std::is_void_v<R>)
    return value();
  else
    return value_traits<R>::to(*std::move(r));
}

/// The arguments of a call as a method takes them, by their places. Errors: bad_argument
template <class Arguments, std::size_t... I>
result<Arguments> read_arguments(value::list given, std::index_sequence<I...>) {
  if (given.size() != sizeof...(I)) {
    return error{error_code::bad_argument,
                 "takes " + std::to_string(sizeof...(I)) + " argument(s), got " + std::to_string(given.size())};
  }
  [[maybe_unused]] auto read = std::tuple<result<std::tuple_element_t<I, Arguments>>...>(
      value_traits<std::tuple_element_t<I, Arguments>>::from(std::move(given[I]))...);
  const error* wrong = nullptr;
  std::size_t which = 0;
  ((wrong == nullptr && !std::get<I>(read) ? (wrong = &std::get<I>(read).error(), which = I + 1) : 0), ...);
  if (wrong) return wrong->within("argument " + std::to_string(which));
  return Arguments(*std::get<I>(std::move(read))...);
}

/// Runs f, which may return R, result<R> or deferred<R>, and passes on what it gives.
template <class R, class F> void answer_with(F&& f, responder answer) {
  using V = typename answer_of<R>::type;
  if constexpr (std::is_void_v<R>) {
    f();
    answer(value());
  } else if constexpr (std::same_as<R, deferred<V>>) {
    f().then([answer = std::move(answer)](result<V> r) { answer(erase<V>(std::move(r))); });
  } else if constexpr (std::same_as<R, result<V>>) {
    answer(erase<V>(f()));
  } else {
    answer(value_traits<R>::to(f()));
  }
}

}  // namespace detail

inline void actor_object::follow(const asker&, std::string_view method, value::list, stream_responder answer) {
  answer(detail::yields_one(method));
}

/// What describe() of a class is called with, to list its methods; see describe in flock.hpp for an example.
template <class T> class method_table {
 public:
  struct entry {
    using called = std::function<void(T&, const asker&, value::list, responder)>;
    using followed = std::function<void(T&, const asker&, value::list, const stream_responder&)>;

    method_info info;
    called call;       ///< empty if it yields many values
    followed follow;   ///< empty if it yields one
    std::any pointer;  ///< to the method
  };

  /// \param name  by which others call it; \param doc  one line for people
  template <class M> method_table& method(std::string name, M pointer, std::string doc = {}) {
    using R = typename detail::method_traits<M>::returned;
    static_assert(!detail::is_stream<R>, "it yields many values: describe it with stream()");
    return add(std::move(name), pointer, std::move(doc));
  }

  /// A method that yields many values: it returns a stream, which is followed where the actor is, over the control API
  /// too.
  template <class M> method_table& stream(std::string name, M pointer, std::string doc = {}) {
    using R = typename detail::method_traits<M>::returned;
    static_assert(detail::is_stream<R>, "it yields one value: describe it with method()");
    return add(std::move(name), pointer, std::move(doc));
  }

  const std::vector<entry>& entries() const { return entries_; }

  /// Calls a method of the object by name. Errors: no_such_method, bad_argument, and those of the method
  void call(T& object, const asker& by, std::string_view method, value::list arguments, responder answer) const {
    const auto* e = find(method);
    if (!e) return answer(no_method(method));
    if (!e->call) return answer(detail::yields_many(method));
    e->call(object, by, std::move(arguments), std::move(answer));
  }

  /// Follows one that yields many values. Errors: no_such_method, bad_argument
  void follow(T& object, const asker& by, std::string_view method, value::list arguments,
              const stream_responder& answer) const {
    const auto* e = find(method);
    if (!e) return answer(no_method(method));
    if (!e->follow) return answer(detail::yields_one(method));
    e->follow(object, by, std::move(arguments), answer);
  }

  /// The name under which describe() lists this method; null if it does not.
  template <class M> const std::string* name_of(M pointer) const {
    for (const auto& e : entries_) {
      const auto* listed = std::any_cast<M>(&e.pointer);
      if (listed && *listed == pointer) return &e.info.name;
    }
    return nullptr;
  }

  /// The description of T, made once.
  static const method_table& of() {
    static const method_table table = [] {
      method_table t;
      T::describe(t);
      return t;
    }();
    return table;
  }

 private:
  template <class M> method_table& add(std::string name, M pointer, std::string doc) {
    using traits = detail::method_traits<M>;
    using R = typename traits::returned;
    using arguments = typename traits::arguments;
    using places = std::make_index_sequence<std::tuple_size_v<arguments>>;
    entry e{{std::move(name), std::move(doc), parameters<arguments>(places()),
             detail::type_name<typename detail::answer_of<R>::type>(), detail::is_stream<R>},
            {},
            {},
            pointer};
    const auto apply = [pointer](T& object, [[maybe_unused]] const asker& by, arguments&& given) -> decltype(auto) {
      return std::apply(
          [&](auto&&... each) -> decltype(auto) {
            if constexpr (traits::has_asker)
              return (object.*pointer)(by, std::move(each)...);
            else
              return (object.*pointer)(std::move(each)...);
          },
          std::move(given));
    };
    if constexpr (detail::is_stream<R>) {
      e.follow = [apply](T& object, const asker& by, value::list given, const stream_responder& answer) {
        auto read = detail::read_arguments<arguments>(std::move(given), places());
        if (!read) return answer(read.error());
        answer(apply(object, by, *std::move(read)).values());
      };
    } else {
      e.call = [apply](T& object, const asker& by, value::list given, responder answer) {
        auto read = detail::read_arguments<arguments>(std::move(given), places());
        if (!read) return answer(read.error());
        detail::answer_with<R>([&]() -> decltype(auto) { return apply(object, by, *std::move(read)); },
                               std::move(answer));
      };
    }
    entries_.push_back(std::move(e));
    return *this;
  }

  const entry* find(std::string_view method) const {
    for (const auto& e : entries_)
      if (e.info.name == method) return &e;
    return nullptr;
  }

  static error no_method(std::string_view method) {
    return {error_code::no_such_method, "no method " + std::string(method)};
  }

  template <class Arguments, std::size_t... I> static std::vector<std::string> parameters(std::index_sequence<I...>) {
    return {detail::type_name<std::tuple_element_t<I, Arguments>>()...};
  }

  std::vector<entry> entries_;
};

/// A class that says with a static describe() what others may call.
template <class T>
concept describable = requires(method_table<T>& table) {
  T::describe(table);
};

/// An object of a described class as an actor_object.
template <describable T> class described_actor final : public actor_object {
 public:
  explicit described_actor(std::unique_ptr<T> object) : object_(std::move(object)) {
    for (const auto& e : method_table<T>::of().entries()) methods_.push_back(e.info);
  }

  const std::vector<method_info>& methods() const override { return methods_; }

  void call(const asker& by, std::string_view method, value::list arguments, beginning begin,
            responder answer) override {
    if (begin()) method_table<T>::of().call(*object_, by, method, std::move(arguments), std::move(answer));
  }

  void follow(const asker& by, std::string_view method, value::list arguments, stream_responder answer) override {
    method_table<T>::of().follow(*object_, by, method, std::move(arguments), answer);
  }

 private:
  std::unique_ptr<T> object_;
  std::vector<method_info> methods_;
};

}  // namespace flock
