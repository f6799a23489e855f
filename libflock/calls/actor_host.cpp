#include "libflock/calls/actor_host.hpp"

#include <algorithm>
#include <atomic>
#include <cassert>
#include <deque>
#include <exception>
#include <utility>

namespace flock {

namespace {

/// The way back to a caller: asks it whether to begin, and gives one answer, the first, or what became of the call when
/// nobody answers it.
template <class Answer> class way_back {
 public:
  using taker = std::function<void(result<Answer>)>;

  way_back(actor_name actor, time_point until, std::function<bool()> starts, taker to)
      : actor_(std::move(actor)), until_(until), starts_(std::move(starts)), to_(std::move(to)) {}
  ~way_back() {
    answer(begun_ ? error{error_code::maybe_done, "dropped without an answer"}
                  : error{error_code::down, actor_.str() + " was unpublished"});
  }
  way_back(const way_back&) = delete;
  way_back& operator=(const way_back&) = delete;

  bool begin(time_point now) {
    if (now > until_) {
      answer(begun_ ? error{error_code::maybe_done, "it was begun, and is too late to be begun once more"}
                    : error{error_code::timeout, "the turn of " + actor_.str() + " came too late"});
      return false;
    }
    if (starts_ && !starts_()) {
      answer(error{error_code::refused, "not to start at its turn"});
      return false;
    }
    begun_ = true;
    return true;
  }

  void answer(result<Answer> r) {
    if (!answered_.exchange(true)) to_(std::move(r));
  }

 private:
  const actor_name actor_;
  const time_point until_;
  const std::function<bool()> starts_;
  const taker to_;
  bool begun_ = false;
  std::atomic<bool> answered_ = false;
};

struct waiting_call {
  asker by;
  std::string method;
  value::list arguments;
  std::shared_ptr<way_back<value>> back;  // null: nobody waits for an answer
};

struct waiting_follower {
  asker by;
  std::string method;
  value::list arguments;
  std::shared_ptr<way_back<value_stream>> back;
};

}  // namespace

/// One actor. Whoever has a job for it in its mailbox keeps it, so what runs never outlives what it runs in.
class actor_host::cell : public std::enable_shared_from_this<cell> {
 public:
  cell(const actor_host& host, actor_name name, std::string type, std::string does, factory make)
      : name_(std::move(name)),
        does_(std::move(does)),
        time_(host.time_),
        options_(host.options_),
        listener_(host.listener_),
        turn_(host.threads_.make_mailbox(name_.str())),
        make_(std::move(make)),
        type_(std::move(type)) {}

  void start() {
    turn_->post([self = shared_from_this()] { self->make(); });
  }

  void become(std::string type, factory make) {
    {
      std::lock_guard lock(mutex_);
      type_ = std::move(type);
    }
    turn_->post([self = shared_from_this(), make = std::move(make)]() mutable {
      self->make_ = std::move(make);
      self->make();
    });
  }

  void close() {
    closed_ = true;
    turn_->close();
  }

  /// Errors: refused (the call was not taken, nor answered)
  template <class Call> result<void> take(Call call) {
    if (waiting_.fetch_add(1) >= options_.mailbox) {
      --waiting_;
      return error{error_code::refused, "the mailbox of " + name_.str() + " is full"};
    }
    turn_->post([self = shared_from_this(), call = std::move(call)]() mutable { self->handle_or_hold(call); });
    return {};
  }

  published_actor describe() const {
    std::lock_guard lock(mutex_);
    return {name_, type_, does_, methods_, waiting_, restarts_};
  }

 private:
  // In the actor's turn.

  void make() {
    if (auto thrown = what_is_thrown([this] { object_ = make_(); })) {
      fail(*thrown);
      return;
    }
    assert(object_);
    {
      std::lock_guard lock(mutex_);
      methods_ = object_->methods();
    }
    while (object_ && !closed_ && !held_.empty()) {
      auto first = std::move(held_.front());
      held_.pop_front();
      first();
    }
  }

  template <class Call> void handle_or_hold(Call& call) {
    if (object_) return handle(call);
    held_.push_back([this, call = std::move(call)]() mutable { handle(call); });
  }

  void handle(waiting_call& call) {
    --waiting_;
    if (!call.back) {
      auto thrown =
          what_is_thrown([&] { object_->call(call.by, call.method, std::move(call.arguments), at_once, to_nobody); });
      if (thrown) fail(*thrown);
      return;
    }
    // Without a hold on this cell: the object may keep both, and goes with the cell.
    auto begin = [&time = time_, back = call.back] { return back->begin(time.now()); };
    auto answer = [back = call.back](result<value> r) { back->answer(std::move(r)); };
    auto thrown = what_is_thrown(
        [&] { object_->call(call.by, call.method, std::move(call.arguments), std::move(begin), std::move(answer)); });
    if (thrown) call.back->answer(fail(*thrown));
  }

  void handle(waiting_follower& f) {
    --waiting_;
    if (!f.back->begin(time_.now())) return;
    auto answer = [back = f.back](result<value_stream> r) { back->answer(std::move(r)); };
    auto thrown = what_is_thrown([&] { object_->follow(f.by, f.method, std::move(f.arguments), std::move(answer)); });
    if (thrown) f.back->answer(fail(*thrown));
  }

  template <class F> static std::optional<std::string> what_is_thrown(F&& f) {
    try {
      f();
      return std::nullopt;
    } catch (const std::exception& e) {
      return e.what();
    } catch (...) {
      return "something that is no std::exception";
    }
  }

  static bool at_once() { return true; }
  static void to_nobody(const result<value>&) {}

  error fail(const std::string& what) {
    error why{error_code::down, name_.str() + " threw: " + what};
    object_.reset();
    {
      std::lock_guard lock(mutex_);
      ++restarts_;
    }
    turn_->post_at(time_.now() + next_backoff(), [self = shared_from_this()] { self->make(); });
    if (listener_->restarted) listener_->restarted(name_, why);
    return why;
  }

  milliseconds next_backoff() {
    const auto now = time_.now();
    const bool was_healthy = !failed_ || now - *failed_ >= options_.healthy;
    backoff_ = was_healthy ? options_.restart_first : std::min(2 * backoff_, options_.restart_last);
    failed_ = now;
    return backoff_;
  }

  const actor_name name_;
  const std::string does_;
  const clock& time_;
  const options options_;
  const std::shared_ptr<const listener> listener_;
  const std::shared_ptr<mailbox> turn_;
  std::atomic<bool> closed_ = false;
  std::atomic<std::size_t> waiting_ = 0;

  // Used in the actor's turn only.
  factory make_;
  std::unique_ptr<actor_object> object_;  // null until it is made, and made anew
  std::deque<task> held_;                 // came while there was no object
  milliseconds backoff_{0};
  std::optional<time_point> failed_;

  mutable std::mutex mutex_;  // guards all below
  std::string type_;
  std::vector<method_info> methods_;
  int restarts_ = 0;
};

actor_host::actor_host(runtime& threads, const clock& time, options o, listener to)
    : threads_(threads),
      time_(time),
      options_(o),
      listener_(std::make_shared<const listener>(std::move(to))),
      waiters_turn_(threads.make_mailbox("waiting for actors")) {}

actor_host::~actor_host() { stop(); }

result<void> actor_host::publish(const actor_name& name, std::string type, factory make, std::string does) {
  auto made = std::make_shared<cell>(*this, name, std::move(type), std::move(does), std::move(make));
  std::vector<waiter> waiters;
  {
    std::lock_guard lock(mutex_);
    if (stopped_) return error{error_code::shutting_down, "this node is stopping"};
    if (!cells_.emplace(name, made).second)
      return error{error_code::conflict, "an actor named " + name.str() + " is here already"};
    auto [first, last] = waiters_.equal_range(name);
    for (auto at = first; at != last; ++at) waiters.push_back(std::move(at->second));
    waiters_.erase(first, last);
  }
  made->start();
  if (listener_->published) listener_->published(name);
  for (const auto& w : waiters) (*w)(true);
  return {};
}

bool actor_host::replace(const actor_name& name, const std::string& type, const factory& make) {
  const auto known = cell_of(name);
  if (known) known->become(type, make);
  return known != nullptr;
}

void actor_host::unpublish(const actor_name& name) {
  std::shared_ptr<cell> gone;
  {
    std::lock_guard lock(mutex_);
    auto at = cells_.find(name);
    if (at == cells_.end()) return;
    gone = std::move(at->second);
    cells_.erase(at);
  }
  gone->close();
  if (listener_->unpublished) listener_->unpublished(name);
}

void actor_host::invoke(asker by, const actor_name& name, std::string method, value::list arguments,
                        std::function<bool()> starts, responder answer) {
  auto to = cell_of(name);
  if (!to) return answer(no_actor(name));
  auto back = std::make_shared<way_back<value>>(name, by.until, std::move(starts), std::move(answer));
  auto taken = to->take(waiting_call{std::move(by), std::move(method), std::move(arguments), back});
  if (!taken) back->answer(taken.error());
}

void actor_host::follow(asker by, const actor_name& name, std::string method, value::list arguments,
                        stream_responder answer) {
  auto to = cell_of(name);
  if (!to) return answer(no_actor(name));
  auto back = std::make_shared<way_back<value_stream>>(name, by.until, std::function<bool()>(), std::move(answer));
  auto taken = to->take(waiting_follower{std::move(by), std::move(method), std::move(arguments), back});
  if (!taken) back->answer(taken.error());
}

result<void> actor_host::deliver(asker by, const actor_name& name, std::string method, value::list arguments) {
  auto to = cell_of(name);
  if (!to) return no_actor(name);
  return to->take(waiting_call{std::move(by), std::move(method), std::move(arguments), nullptr});
}

std::vector<actor_host::published_actor> actor_host::list() const {
  std::lock_guard lock(mutex_);
  std::vector<published_actor> all;
  for (const auto& [name, each] : cells_) all.push_back(each->describe());
  return all;
}

std::optional<actor_host::published_actor> actor_host::find(const actor_name& name) const {
  auto found = cell_of(name);
  if (!found) return std::nullopt;
  return found->describe();
}

bool actor_host::has(const actor_name& name) const { return cell_of(name) != nullptr; }

void actor_host::when_published(const actor_name& name, time_point until, std::function<void(bool)> f) {
  auto mine = std::make_shared<std::function<void(bool)>>(std::move(f));
  std::optional<bool> known;
  {
    std::lock_guard lock(mutex_);
    if (cells_.contains(name))
      known = true;
    else if (stopped_)
      known = false;
    else
      waiters_.emplace(name, mine);
  }
  if (known) return (*mine)(*known);
  if (until == no_deadline) return;
  waiters_turn_->post_at(until, [this, name, waits = std::weak_ptr(mine)] {
    if (auto late = waits.lock()) give_up(name, late);
  });
}

void actor_host::give_up(const actor_name& name, const waiter& late) {
  {
    std::lock_guard lock(mutex_);
    auto [first, last] = waiters_.equal_range(name);
    auto at = std::find_if(first, last, [&](const auto& entry) { return entry.second == late; });
    if (at == last) return;  // it is being told otherwise
    waiters_.erase(at);
  }
  (*late)(false);
}

void actor_host::stop() {
  decltype(cells_) cells;
  decltype(waiters_) waiters;
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
    cells.swap(cells_);
    waiters.swap(waiters_);
  }
  waiters_turn_->close();
  for (const auto& [name, gone] : cells) {
    gone->close();
    if (listener_->unpublished) listener_->unpublished(name);
  }
  for (const auto& [name, w] : waiters) (*w)(false);
}

std::shared_ptr<actor_host::cell> actor_host::cell_of(const actor_name& name) const {
  std::lock_guard lock(mutex_);
  auto at = cells_.find(name);
  return at == cells_.end() ? nullptr : at->second;
}

error actor_host::no_actor(const actor_name& name) const {
  return {error_code::not_found,
          "no actor named " + name.str() + (options_.node.empty() ? "" : " on " + options_.node)};
}

}  // namespace flock
