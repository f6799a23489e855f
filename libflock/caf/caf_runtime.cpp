#include "libflock/caf/caf_runtime.hpp"

#include "libflock/caf/caf_scheduler.hpp"

#include <caf/all.hpp>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <future>
#include <iostream>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_set>
#include <utility>
#include <vector>

namespace flock::internal {
namespace {

using namespace std::chrono_literals;

/// Jobs of one mailbox after which another mailbox gets the thread, so that a busy one delays no other by much.
constexpr std::size_t jobs_per_turn = 100;

/// How long a thread for blocking jobs waits for the next one: longer than a run's pause between two commands.
constexpr auto linger = 10s;

/// How long the destructor waits for jobs that block, where stop() was not called.
constexpr auto grace = 5s;

/// Says that jobs wait.
struct wake_message {};

/// Says that timed jobs are due.
struct due_message {
  time_point due;
};

/// Runs a job that should not throw; one that does is told of on stderr, and its mailbox or thread goes on.
void run_guarded(task& job, std::string_view whose) {
  std::string what;
  try {
    return job();
  } catch (const std::exception& e) {
    what = e.what();
  } catch (...) {
    what = "something that is no std::exception";
  }
  std::cerr << "flock: a job of " + std::string(whose) + " threw: " + what + "\n";
}

class caf_mailbox;

/// The mailboxes that live, and whether more may be made.
struct living_mailboxes {
  std::mutex mutex;  // guards all below
  std::unordered_set<caf_mailbox*> mailboxes;
  bool stopped = false;
};

/// A mailbox is used by everybody; its actor, which takes the turns, belongs to CAF and refers back to it weakly. The
/// actor is woken once, however many jobs wait: a message of CAF's for each would cost more than most jobs.
class caf_mailbox final : public mailbox {
 public:
  caf_mailbox(std::string_view label, const clock& time, std::shared_ptr<living_mailboxes> among)
      : name_("mailbox " + std::string(label)), time_(time), living_(std::move(among)) {}

  ~caf_mailbox() override {
    close();
    std::lock_guard lock(living_->mutex);
    living_->mailboxes.erase(this);
  }

  /// Called once, before anybody else sees the mailbox.
  void open(caf::actor actor) {
    actor_ = std::move(actor);
    closed_ = false;
  }

  void post(task job) override {
    {
      std::lock_guard lock(mutex_);
      if (closed_) return;
      waiting_.push_back(std::move(job));
      ++depth_;
      if (std::exchange(awake_, true)) return;
    }
    wake();
  }

  void post_at(time_point when, task job) override {
    std::lock_guard lock(mutex_);
    if (closed_) return;
    timed_.emplace_hint(timed_.end(), when, std::move(job));
    wake_at_earliest();
  }

  void close() override {
    // These outlive the lock: what the jobs own may come back here when it goes.
    std::multimap<time_point, task> timed;
    std::deque<task> waiting;
    std::lock_guard lock(mutex_);
    if (closed_.exchange(true)) return;
    timed.swap(timed_);
    waiting.swap(waiting_);
    caf::anon_send_exit(actor_, caf::exit_reason::user_shutdown);
  }

  std::size_t depth() const override { return closed_ ? 0 : depth_.load(); }

  // In the actor's turn.

  void run_waiting() {
    std::vector<task> mine;
    auto left = jobs_per_turn;
    do {
      if (!fetch_waiting(left, mine)) return;
      for (auto& job : mine) {
        --depth_;
        run_unless_closed(std::move(job));
      }
      left -= mine.size();
      // Another mailbox that these have woken on this thread comes before what they have posted here.
    } while (left > 0 && !caf_scheduler::turn_should_end());
    if (has_more()) wake();  // the turn of others comes first
  }

  /// \param woken_for  this time has come, whatever the clock says
  void run_due(time_point woken_for) {
    std::multimap<time_point, task> due;
    {
      std::lock_guard lock(mutex_);
      const auto now = std::max(woken_for, time_.now());
      if (wake_at_ <= now) wake_at_ = time_point::max();
      while (!timed_.empty() && timed_.begin()->first <= now) due.insert(due.end(), timed_.extract(timed_.begin()));
      wake_at_earliest();
    }
    for (auto& [when, job] : due) run_unless_closed(std::move(job));
  }

 private:
  void wake() { caf::anon_send(actor_, wake_message{}); }

  // Many at once, so that whoever posts meanwhile seldom finds the mutex taken. \returns false, and the turn is over,
  // if none wait
  bool fetch_waiting(std::size_t at_most, std::vector<task>& into) {
    std::lock_guard lock(mutex_);
    awake_ = !waiting_.empty();
    const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(std::min(waiting_.size(), at_most));
    into.assign(std::move_iterator(waiting_.begin()), std::move_iterator(end));
    waiting_.erase(waiting_.begin(), end);
    return awake_;
  }

  // If not, the turn is over.
  bool has_more() {
    std::lock_guard lock(mutex_);
    return awake_ = !waiting_.empty();
  }

  void run_unless_closed(task job) {
    if (closed_) return;
    turn mine(*this);
    task running = std::move(job);  // what it owns goes in this turn, too
    run_guarded(running, name_);
  }

  /// One message of CAF's clock stands for all timed jobs, so those that are never needed cost only their place in the
  /// map.
  void wake_at_earliest() {
    if (closed_ || timed_.empty() || timed_.begin()->first >= wake_at_) return;
    wake_at_ = timed_.begin()->first;
    actor_->home_system().clock().schedule_message(
        wake_at_, caf::actor_cast<caf::strong_actor_ptr>(actor_),
        caf::make_mailbox_element(nullptr, caf::make_message_id(), {}, due_message{wake_at_}));
  }

  const std::string name_;
  const clock& time_;
  const std::shared_ptr<living_mailboxes> living_;
  caf::actor actor_;
  std::atomic<bool> closed_ = true;
  std::atomic<std::size_t> depth_ = 0;
  std::mutex mutex_;  // guards all below, and closing against the use of CAF's clock
  std::deque<task> waiting_;
  bool awake_ = false;  // a wake_message is on its way, or the actor is in its turn
  std::multimap<time_point, task> timed_;
  time_point wake_at_ = time_point::max();  // the earliest due_message that is on its way
};

}  // namespace
}  // namespace flock::internal

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(flock::internal::wake_message)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(flock::internal::due_message)

namespace flock::internal {
namespace {

class mailbox_actor final : public caf::event_based_actor {
 public:
  mailbox_actor(caf::actor_config& config, std::weak_ptr<caf_mailbox> home)
      : caf::event_based_actor(config), home_(std::move(home)) {}

  caf::behavior make_behavior() override {
    return {
        [this](const wake_message&) {
          if (auto home = home_.lock()) home->run_waiting();
        },
        [this](const due_message& m) {
          if (auto home = home_.lock()) home->run_due(m.due);
        },
    };
  }

 private:
  const std::weak_ptr<caf_mailbox> home_;
};

/// Threads for jobs that block: made on demand, ended when they have nothing to do. The threads share it, so that those
/// that are abandoned do no harm.
class blocking_threads : public std::enable_shared_from_this<blocking_threads> {
 public:
  void run(task job) {
    std::lock_guard lock(mutex_);
    if (stopped_) return;
    waiting_.push_back(std::move(job));
    if (idle_ >= waiting_.size()) return wanted_.notify_one();
    if (threads_ == runtime::max_blocking) return;
    std::thread([self = shared_from_this()] { self->run_jobs(); }).detach();
    ++threads_;
  }

  /// Drops what waits; no job starts any more.
  void close() {
    std::deque<task> dropped;  // outlives the lock
    std::lock_guard lock(mutex_);
    stopped_ = true;
    dropped.swap(waiting_);
    wanted_.notify_all();
  }

  void await_end(time_point until) {
    std::unique_lock lock(mutex_);
    ended_.wait_until(lock, until, [this] { return threads_ == 0; });
  }

 private:
  void run_jobs() {
    std::unique_lock lock(mutex_);
    while (await_job(lock)) {
      task job = std::move(waiting_.front());
      waiting_.pop_front();
      lock.unlock();
      run_guarded(job, "run_blocking()");
      job = {};
      lock.lock();
    }
    --threads_;
    ended_.notify_all();
  }

  bool await_job(std::unique_lock<std::mutex>& lock) {
    ++idle_;
    wanted_.wait_for(lock, linger, [this] { return stopped_ || !waiting_.empty(); });
    --idle_;
    return !waiting_.empty();
  }

  std::mutex mutex_;  // guards all below
  std::condition_variable wanted_;
  std::condition_variable ended_;
  std::deque<task> waiting_;
  std::size_t idle_ = 0;
  int threads_ = 0;
  bool stopped_ = false;
};

struct settings : caf::actor_system_config {
  explicit settings(int workers) {
    load<caf_scheduler>();
    set("scheduler.max-threads", std::int64_t{workers});
    set("scheduler.max-throughput", std::int64_t{caf_scheduler::messages_per_turn});
  }
};

/// A thread that uses CAF from outside is left with a share of the system's logger, for whose end the system waits.
void forget_logger() { caf::logger::set_current_actor_system(nullptr); }

struct caf_system {
  explicit caf_system(int workers) : config(workers), actors(config) { forget_logger(); }

  settings config;
  caf::actor_system actors;
};

class caf_runtime final : public runtime {
 public:
  caf_runtime(const clock& time, int workers) : time_(time), system_(std::make_unique<caf_system>(workers)) {}

  ~caf_runtime() override { stop(time_.now() + grace); }

  std::shared_ptr<mailbox> make_mailbox(std::string_view label) override {
    auto made = std::make_shared<caf_mailbox>(label, time_, living_);
    std::lock_guard lock(living_->mutex);
    if (living_->stopped) return made;  // one that is closed
    made->open(system_->actors.spawn<mailbox_actor>(std::weak_ptr(made)));
    forget_logger();
    living_->mailboxes.insert(made.get());
    return made;
  }

  void run_blocking(task job) override { blocking_->run(std::move(job)); }

  std::unique_ptr<turn_taker> make_turn_taker() override {
    return caf_scheduler::of(system_->actors).make_turn_taker();
  }

  void stop(time_point until) override {
    if (!begin_to_stop()) return;
    blocking_->close();
    end_system(until);
    blocking_->await_end(until);
  }

 private:
  /// Closes every mailbox. \returns false if that was done before
  bool begin_to_stop() {
    std::vector<std::shared_ptr<mailbox>> living;  // outlives the lock, which their destructors take
    {
      std::lock_guard lock(living_->mutex);
      if (std::exchange(living_->stopped, true)) return false;
      for (auto* each : living_->mailboxes)
        if (auto alive = each->weak_from_this().lock()) living.push_back(std::move(alive));
    }
    for (auto& each : living) each->close();
    return true;
  }

  /// CAF's destructor waits for the jobs that are running, however long: it gets a thread, which is left alone with it
  /// at `until`.
  void end_system(time_point until) {
    std::promise<void> promise;
    auto ended = promise.get_future();
    std::thread([system = std::move(system_), promise = std::move(promise)]() mutable {
      system.reset();
      promise.set_value();
    }).detach();
    ended.wait_until(until);
  }

  const clock& time_;
  const std::shared_ptr<living_mailboxes> living_ = std::make_shared<living_mailboxes>();
  const std::shared_ptr<blocking_threads> blocking_ = std::make_shared<blocking_threads>();
  std::unique_ptr<caf_system> system_;
};

}  // namespace

std::unique_ptr<runtime> make_caf_runtime(const clock& time, int workers) {
  return std::make_unique<caf_runtime>(time, workers);
}

std::string caf_version() {
  return std::to_string(CAF_MAJOR_VERSION) + '.' + std::to_string(CAF_MINOR_VERSION) + '.' +
         std::to_string(CAF_PATCH_VERSION);
}

}  // namespace flock::internal
