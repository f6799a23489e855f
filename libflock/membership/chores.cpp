#include "libflock/membership/chores.hpp"

#include "libflock/values/backoff.hpp"

#include <algorithm>
#include <utility>

namespace flock::internal {

namespace {

constexpr milliseconds first_pause{100};
constexpr milliseconds last_pause{10'000};

}  // namespace

chores::chores(std::shared_ptr<mailbox> home, const clock& time, std::uint64_t seed, std::function<void()> all_done)
    : home_(std::move(home)),
      time_(time),
      seed_(seed),
      all_done_(std::move(all_done)),
      here_(std::make_shared<chores*>(this)) {}

chores::~chores() = default;

void chores::put(const std::string& key, work how) { put(key, std::move(how), false); }

void chores::put_once(const std::string& key, work how) { put(key, std::move(how), true); }

void chores::put(const std::string& key, work how, bool once) {
  auto& c = all_[key];
  if (c.number == 0) c.number = ++last_number_;
  c.is_for_once = once;
  c.how = std::move(how);
  due(key);
}

void chores::remove(const std::string& key) {
  auto found = all_.find(key);
  if (found == all_.end()) return;
  mark_due(found->second, false);
  all_.erase(found);
}

void chores::due(const std::string& key, milliseconds apart) {
  auto found = all_.find(key);
  if (found == all_.end()) return;
  auto& c = found->second;
  mark_due(c, true);
  c.not_before = std::max(c.not_before, c.begun_before + apart);
  pass(key, c);
}

void chores::all_due() {
  for (auto& [key, c] : all_) {
    mark_due(c, true);
    pass(key, c);
  }
}

void chores::allow(bool yes) {
  if (is_allowed_ == yes) return;
  is_allowed_ = yes;
  queue_.clear();
  for (auto& [key, c] : all_) {
    c.pauses.reset();
    c.not_before = {};
    pass(key, c);
  }
}

/// To the queue, or to where it waits for its time. It may get there twice; begin_next() sorts that out.
void chores::pass(const std::string& key, const chore& c) {
  if (!is_allowed_ || !c.is_due || c.is_running) return;
  if (c.not_before <= time_.now()) {
    queue_.push_back(key);
    return begin_next();
  }
  home_->post_at(c.not_before, [where = std::weak_ptr(here_), key] {
    auto here = where.lock();
    if (!here) return;
    auto found = (*here)->all_.find(key);
    if (found != (*here)->all_.end()) (*here)->pass(key, found->second);
  });
}

void chores::begin_next() {
  while (is_allowed_ && running_ < at_once && !queue_.empty()) {
    auto key = std::move(queue_.front());
    queue_.pop_front();
    auto found = all_.find(key);
    if (found != all_.end() && found->second.is_due && !found->second.is_running) begin(key, found->second);
  }
}

void chores::begin(const std::string& key, chore& c) {
  mark_due(c, false);
  c.is_running = true;
  c.begun_before = std::exchange(c.begun, time_.now());
  ++running_;
  auto how = c.how;  // which may be replaced, or the chore removed, by itself
  how([where = std::weak_ptr(here_), key, number = c.number](const result<void>& went) {
    if (auto here = where.lock()) (*here)->ended(key, number, went);
  });
}

void chores::ended(const std::string& key, std::uint64_t number, const result<void>& how) {
  --running_;
  auto found = all_.find(key);
  if (found != all_.end() && found->second.number == number) {
    found->second.is_running = false;
    how ? succeeded(found) : failed(found->second);
  }
  // It may have become due meanwhile, or again.
  if (auto left = all_.find(key); left != all_.end()) pass(key, left->second);
  begin_next();
  if (all_done_ && running_ == 0 && due_ == 0) all_done_();
}

void chores::succeeded(chore_map::iterator c) {
  c->second.pauses.reset();
  if (c->second.is_for_once && !c->second.is_due) all_.erase(c);
}

void chores::failed(chore& c) {
  if (!c.pauses) c.pauses = std::make_unique<backoff>(first_pause, last_pause, seed_ + c.number);
  mark_due(c, true);
  c.not_before = std::max(c.not_before, time_.now() + c.pauses->next());
}

void chores::mark_due(chore& c, bool yes) {
  if (c.is_due == yes) return;
  c.is_due = yes;
  yes ? ++due_ : --due_;
}

broken chores::check() const {
  std::size_t due = 0, running = 0;
  for (const auto& [key, c] : all_) {
    due += c.is_due ? 1 : 0;
    running += c.is_running ? 1 : 0;
    if (c.number == 0 || c.number > last_number_) return sentence(key, " has number ", c.number, " of ", last_number_);
  }
  if (due != due_) return sentence(due, " chores are due, and ", due_, " are counted");
  if (running > running_ || running_ > at_once)
    return sentence(running, " chores are under way, ", running_, " are counted, and at most ", at_once, " may be");
  if (is_allowed_ && running_ < at_once && !queue_.empty())
    return sentence(queue_.front(), " is to be begun, and waits for nothing");
  return {};
}

}  // namespace flock::internal
