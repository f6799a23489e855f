#pragma once

#include <flock/error.hpp>
#include <flock/value.hpp>
#include <flock/value_cast.hpp>

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace flock {

/// Values that come one after the other until the stream ends, to one follower. Copies share it. Safe for threads.
class value_stream {
 public:
  using follower = std::function<void(value)>;
  using end_told = std::function<void(const result<void>& how)>;

  value_stream() : state_(std::make_shared<state>()) {}

  /// Nothing happens once it has ended, or its follower has gone.
  void put(value v) const;
  /// The first end counts.
  void end(result<void> how = {}) const;
  /// Whether anything that is put in may be of use.
  bool is_open() const;

  /// Calls `next` with each value in their order, those that were put in before first, then `ended` once. One call at a
  /// time, on the threads that put and end. If all copies of the stream go without an end, it has ended with down.
  /// Once for each stream.
  /// \returns a handle: destroyed, it closes the stream, and nothing is called but what is under way
  std::shared_ptr<void> follow(follower next, end_told ended) const;

 private:
  struct state {
    ~state();
    void close();

    std::mutex mutex;  // guards all below
    std::deque<value> waiting;
    std::optional<result<void>> end;
    follower next;
    end_told ended;
    bool delivering = false;  // some thread is, and takes what others add
    bool closed = false;
  };

  static void deliver(std::shared_ptr<state> to);

  std::shared_ptr<state> state_;
};

/// What a method returns that yields many values: the actor keeps a copy, puts values in as they come, and forgets it
/// when it is not open any more. Described with stream() in place of method(); see actor_type.hpp.
///
///     flock::stream<double> watch() { return watching.emplace_back(); }
///     void set(double price) {
///       std::erase_if(watching, [](const auto& w) { return !w.is_open(); });
///       for (auto& w : watching) w.put(price);
///     }
///     std::vector<flock::stream<double>> watching;
template <class T> class stream {
 public:
  void put(T item) const { values_.put(value_traits<T>::to(std::move(item))); }
  void end() const { values_.end(); }
  void end(error why) const { values_.end(std::move(why)); }
  bool is_open() const { return values_.is_open(); }

  const value_stream& values() const { return values_; }

 private:
  value_stream values_;
};

}  // namespace flock
