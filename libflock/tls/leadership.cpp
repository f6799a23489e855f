#include "libflock/tls/leadership.hpp"

#include <algorithm>
#include <utility>

namespace flock::internal {

namespace {

/// Whether this thread takes turns while its lead is lent.
thread_local bool lends = false;

}  // namespace

leadership::leadership(std::function<bool()> work, std::function<void()> interrupt, runtime* threads)
    : work_(std::move(work)), interrupt_(std::move(interrupt)), threads_(threads) {}

void leadership::serve() {
  auto mine = threads_ ? threads_->make_turn_taker() : nullptr;
  lock held(mutex_);
  if (lead_ == lead::free && !ended_) {
    take_lead();
    keep_lead(held, mine);
  }
  while (stand_by(held)) keep_lead(held, mine);
}

void leadership::await(gate& g) {
  lock held(mutex_);
  while (!g.is_open()) {
    if (lead_ == lead::free && !ended_) {
      work_for(held, g);
      continue;
    }
    awaited_.push_back(&g);
    const bool ended = ended_;
    held.unlock();
    ended ? g.wait() : g.wait_for_call();
    held.lock();
    std::erase(awaited_, &g);
  }
  // Whoever was called to lead when its gate was already open passes that on.
  if (lead_ == lead::free && !awaited_.empty()) awaited_.front()->call();
  held.unlock();
  g.wait();  // no longer than whoever opened it needs to let go of it: then the gate may go
}

bool leadership::is_attended() const { return lead_ == lead::held || (lead_ == lead::lent && lends); }

// -- threads that serve

// Waits until the lead has been left alone for a while, and takes it. \returns false when all has ended
bool leadership::stand_by(lock& held) {
  ++resting_;
  if (lead_ != lead::held) have_it_watched();
  while (!ended_) {
    held.unlock();
    alarm_.wait();
    held.lock();
    if (lead_ == lead::held || ended_) continue;
    if (const auto later = lookout_.rung(clock::now())) {
      alarm_.set(*later);
      continue;
    }
    --resting_;
    take_lead();
    return true;
  }
  --resting_;
  alarm_.set({});  // the next one is to see it, too
  return false;
}

// Works until another thread has the lead.
void leadership::keep_lead(lock& held, turns& mine) {
  for (;;) {
    held.unlock();
    if (mine) mine->keep();
    const bool more = work_();
    held.lock();
    if (!more) return end();
    if (!awaited_.empty()) {  // it works for itself, which spares waking it for its answer
      if (mine) mine->hand_over();
      return give_up();
    }
    if (mine && mine->has_kept() && !take_turns(held, mine)) return;
  }
}

// \returns whether the lead is still this thread's
bool leadership::take_turns(lock& held, turns& mine) {
  if (resting_ == 0) {  // nobody could take over
    mine->hand_over();
    return true;
  }
  const auto term = term_;
  lead_ = lead::lent;
  lent_to_ = mine.get();
  have_it_watched();
  held.unlock();
  lends = true;
  mine->run();
  lends = false;
  held.lock();
  if (term_ != term) return false;
  lead_ = lead::held;
  return true;
}

// -- threads that wait

void leadership::work_for(lock& held, gate& g) {
  take_lead();
  held.unlock();
  g.start_working(interrupt_);
  bool more = true;
  while (more && !g.is_open()) more = work_();
  g.stop_working();
  held.lock();
  if (!more) return end();
  give_up();
  have_it_watched();
}

// -- the lead

void leadership::take_lead() {
  if (lead_ == lead::lent) lent_to_->hand_over();
  lead_ = lead::held;
  ++term_;
}

void leadership::give_up() {
  lead_ = lead::free;
  const auto waits = std::find_if(awaited_.begin(), awaited_.end(), [](const gate* g) { return !g->is_open(); });
  if (waits != awaited_.end()) (*waits)->call();
}

void leadership::have_it_watched() {
  if (resting_ == 0) return;
  if (const auto later = lookout_.left(clock::now())) alarm_.set(*later);
}

void leadership::end() {
  ended_ = true;
  lead_ = lead::free;
  for (auto* g : awaited_) g->call();
  alarm_.set({});
}

}  // namespace flock::internal
