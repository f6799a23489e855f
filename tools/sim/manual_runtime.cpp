#include "tools/sim/manual_runtime.hpp"

#include <deque>
#include <map>
#include <random>
#include <stdexcept>
#include <utility>
#include <vector>

namespace flock::testing {

/// Who has work now, and who will have later.
class manual_runtime::schedule {
 public:
  explicit schedule(manual_clock& t) : time(t) {}

  /// Gives timers that are due to their mailboxes. \returns whose turn it is, or null
  std::shared_ptr<lane> next();

  struct timer {
    std::shared_ptr<lane> whose;
    task job;
  };

  manual_clock& time;
  std::optional<std::mt19937_64> random;
  std::deque<std::shared_ptr<lane>> ready;
  std::multimap<time_point, timer> timers;  // equal times stay in the order in which they were posted
  bool stopped = false;
};

/// A mailbox, or the place of one blocking job in the order of turns.
class manual_runtime::lane final : public mailbox {
 public:
  enum class use { mailbox, blocking_job };

  lane(std::shared_ptr<schedule> in, use u) : schedule_(std::move(in)), use_(u) {}

  void post(task job) override {
    if (is_closed()) return;
    jobs_.push_back(std::move(job));
    if (!std::exchange(is_ready_, true)) schedule_->ready.push_back(self());
  }

  void post_at(time_point when, task job) override {
    if (is_closed()) return;
    if (when <= schedule_->time.now()) return post(std::move(job));
    schedule_->timers.emplace(when, schedule::timer{self(), std::move(job)});
  }

  void close() override {
    closed_ = true;
    // Destroyed at the end of this function: what a job owns may post, or close, when it goes.
    auto jobs = std::exchange(jobs_, {});
    std::vector<schedule::timer> later;
    auto& timers = schedule_->timers;
    for (auto at = timers.begin(); at != timers.end();) {
      auto candidate = at++;
      if (candidate->second.whose.get() == this) later.push_back(std::move(timers.extract(candidate).mapped()));
    }
  }

  std::size_t depth() const override { return jobs_.size(); }
  bool has_turn() const override { return !current_mailbox() || mailbox::has_turn(); }

  void take_turn() {
    auto job = std::move(jobs_.front());
    jobs_.pop_front();
    is_ready_ = !jobs_.empty();
    if (is_ready_) schedule_->ready.push_back(self());
    std::optional<turn> its_turn;
    if (use_ == use::mailbox) its_turn.emplace(*this);
    job();
  }

 private:
  bool is_closed() const { return closed_ || schedule_->stopped; }
  std::shared_ptr<lane> self() { return std::static_pointer_cast<lane>(shared_from_this()); }

  std::shared_ptr<schedule> schedule_;
  use use_;
  std::deque<task> jobs_;
  bool is_ready_ = false;
  bool closed_ = false;
};

std::shared_ptr<manual_runtime::lane> manual_runtime::schedule::next() {
  while (!timers.empty() && timers.begin()->first <= time.now()) {
    auto due = timers.extract(timers.begin());
    due.mapped().whose->post(std::move(due.mapped().job));
  }
  while (!ready.empty()) {
    if (random) std::swap(ready.front(), ready[(*random)() % ready.size()]);
    auto first = std::move(ready.front());
    ready.pop_front();
    if (first->depth() > 0) return first;  // else it was closed meanwhile
  }
  return nullptr;
}

manual_runtime::manual_runtime(manual_clock& time) : schedule_(std::make_shared<schedule>(time)) {}

manual_runtime::manual_runtime(manual_clock& time, std::uint64_t seed) : manual_runtime(time) {
  schedule_->random.emplace(seed);
}

manual_runtime::~manual_runtime() { stop(schedule_->time.now()); }

std::shared_ptr<mailbox> manual_runtime::make_mailbox(std::string_view) {
  return std::make_shared<lane>(schedule_, lane::use::mailbox);
}

void manual_runtime::run_blocking(task job) {
  std::make_shared<lane>(schedule_, lane::use::blocking_job)->post(std::move(job));
}

void manual_runtime::stop(time_point) {
  schedule_->stopped = true;
  // As in close(): destroyed last, with all that waits in the mailboxes.
  auto ready = std::exchange(schedule_->ready, {});
  auto timers = std::exchange(schedule_->timers, {});
  for (const auto& l : ready) l->close();
}

std::shared_ptr<const mailbox> manual_runtime::run_one() {
  auto next = schedule_->next();
  if (next) next->take_turn();
  return next;
}

std::size_t manual_runtime::run_ready() {
  constexpr std::size_t forever = 1'000'000;
  std::size_t ran = 0;
  while (run_one()) {
    if (++ran == forever) throw std::runtime_error("manual_runtime: a million jobs, and always one more");
  }
  return ran;
}

void manual_runtime::advance(std::chrono::nanoseconds by) {
  auto& time = schedule_->time;
  auto until = time.now() + by;
  run_ready();
  for (auto next = next_timer(); next && *next <= until; next = next_timer()) {
    time.advance(*next - time.now());
    run_ready();
  }
  time.advance(until - time.now());
}

std::optional<time_point> manual_runtime::next_timer() const {
  if (schedule_->timers.empty()) return std::nullopt;
  return schedule_->timers.begin()->first;
}

}  // namespace flock::testing
