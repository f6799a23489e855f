#include "tools/sim/history.hpp"

#include <algorithm>
#include <utility>

namespace flock::simulator {

void history::breaks(std::string invariant, std::string what) {
  if (!broken_) broken_ = breach{std::move(invariant), std::move(what)};
}

void history::life_began(const life_id& who) { lives_[who.node] = who.number; }

void history::life_ended(const std::string& node) { lives_.erase(node); }

void history::storage_lost(const std::string& node) {
  lost_.insert(node);
  for (auto& [id, s] : stories_) {
    if (s.what.sender == node) s.sender_lost = true;
    if (s.what.target == node) {
      s.receiver_lost = true;
      s.ended_there = false;
    }
  }
}

void history::clock_set(const std::string& node, milliseconds most_ahead) {
  most_ahead_ = std::max(most_ahead_, most_ahead);
  for (auto& [id, s] : stories_)
    if (s.what.target == node) s.clocks_differ = true;
}

// Notifications.

void history::announced(const life_id& by, const notification_record& r, wall_time now, intent meant) {
  auto at = stories_.find(r.what.id);
  if (r.state() == receipt_state::queued) {
    if (at != stories_.end()) return breaks("I1", r.what.id + " was made twice");
    story s{.what = r.what, .meant = meant, .place = ++made_[by.node], .sender_life = by.number};
    stories_.emplace(r.what.id, std::move(s));
    return;
  }
  if (at == stories_.end()) return breaks("I4", by.node + " speaks of " + r.what.id + ", which nobody sent");
  if (r.what.sender == by.node) sender_says(at->second, r, now);
  if (r.what.target == by.node) receiver_says(by, at->second, r);
}

void history::sender_says(story& s, const notification_record& r, wall_time now) {
  if (!is_terminal(r.state())) return;
  if (s.end && *s.end != r.state() && !s.receiver_lost && !s.sender_lost)
    breaks("I1", name(s) + " ended as " + std::string(to_string(*s.end)) + ", and then as " +
                     std::string(to_string(r.state())));
  if (s.end) return;
  s.end = r.state();
  check_end(s, r, now);
}

/// What the end of a notification says must be true.
void history::check_end(const story& s, const notification_record& r, wall_time now) {
  const auto why = r.last().why ? to_string(*r.last().why) : std::string("no reason");
  const bool begun = !s.begins.empty();
  const auto completed = std::any_of(s.begins.begin(), s.begins.end(), [](const begin& b) { return b.completed; });
  switch (r.state()) {
    case receipt_state::succeeded:
      if (!completed || s.meant != intent::work) breaks("I1", name(s) + " succeeded, and was never done");
      break;
    case receipt_state::failed:
      if (s.meant == intent::work) breaks("I1", name(s) + " failed, and nothing was wrong with it: " + why);
      if (s.meant == intent::fail && !completed) breaks("I1", name(s) + " failed before it was done: " + why);
      break;
    case receipt_state::expired:
      // It promises that nothing was done.
      if (begun) breaks("I4", name(s) + " is said to be expired, and was begun");
      if (!may_have_expired(s, now)) breaks("I1", name(s) + " expired before its time: " + why);
      break;
    case receipt_state::cancelled:
      if (begun) breaks("I4", name(s) + " was cancelled, and was begun");
      break;
    case receipt_state::unknown:
      // Only who has lost its memory, or was not heard of until it was too late, leaves anybody in doubt.
      if (!s.receiver_lost && !s.sender_lost && !may_have_expired(s, now))
        breaks("I1", name(s) + " ended as unknown without a reason: " + why);
      break;
    case receipt_state::queued:
    case receipt_state::accepted:
    case receipt_state::started:
      break;
  }
  const bool marked = r.redelivered() || r.state() > receipt_state::failed;
  if (s.begins.size() > 1 && !marked && !s.sender_lost) breaks("I2", name(s) + " was begun twice, and not marked");
}

void history::receiver_says(const life_id& by, story& s, const notification_record& r) {
  if (r.redelivered() && by.number == 1 && lost_.count(s.what.sender.str()) == 0)
    breaks("I2", name(s) + " is marked redelivered in its receiver's first life");
  if (!is_terminal(r.state())) return;
  s.ended_there = true;
  const bool marked = r.redelivered() || r.state() > receipt_state::failed;
  if (s.begins.size() > 1 && !marked) breaks("I2", name(s) + " was begun twice, and its receiver did not mark it");
}

bool history::may_have_expired(const story& s, wall_time now) const { return now + most_ahead_ >= s.what.expires; }

void history::accepted(const std::string& id) {
  if (auto at = stories_.find(id); at != stories_.end()) at->second.accepted = true;
}

void history::begins(const life_id& at, const std::string& resource, const std::string& id, wall_time wall) {
  const auto found = stories_.find(id);
  if (found == stories_.end()) return breaks("I4", at.node + "/" + resource + " does " + id + ", which nobody sent");
  auto& s = found->second;
  if (s.what.target != at.node || s.what.actor.str() != resource || s.meant == intent::undeclared)
    breaks("I4", name(s) + " was begun by " + at.node + "/" + resource);
  if (s.end == receipt_state::expired || s.end == receipt_state::cancelled)
    breaks("I4", name(s) + " was begun after it was said to be " + std::string(to_string(*s.end)));
  // A clock that is set while it waits is not noticed: the wait is measured without it.
  if (wall > s.what.expires && !s.clocks_differ)
    breaks("I4", name(s) + " was begun at " + format_time(wall) + ", and expired at " + format_time(s.what.expires));
  if (!s.begins.empty() && s.begins.back().life == at.number) breaks("I2", name(s) + " was begun twice in one life");
  if (s.ended_there) breaks("I2", name(s) + " was begun again after its end was durable");
  if ((s.end == receipt_state::succeeded || s.end == receipt_state::failed) && !s.receiver_lost && !s.sender_lost)
    breaks("I2", name(s) + " was begun again after its sender was told how it ended");
  if (s.begins.empty()) {
    auto& last = last_begun_[{s.what.sender.str(), at.node, resource}];
    // What was damaged comes again, behind what was sent since.
    if (s.place < last && !s.receiver_lost && !s.sender_lost)
      breaks("I3", name(s) + " was begun after one that was made later");
    last = std::max(last, s.place);
  }
  s.begins.push_back({at.number});
}

void history::completes(const life_id& at, const std::string& id) {
  const auto found = stories_.find(id);
  if (found == stories_.end() || found->second.begins.empty()) return;
  auto& last = found->second.begins.back();
  if (last.life == at.number) last.completed = true;
}

void history::check_settled(const std::string& node, const ledger& records) {
  for (const auto& [id, s] : stories_) {
    if (s.what.sender != node || s.sender_lost) continue;
    const auto* r = records.find(id);
    if (!r) {
      if (s.accepted) breaks("I1", name(s) + " was accepted, and its sender knows nothing of it");
      continue;
    }
    if (!is_terminal(r->state())) breaks("I1", name(s) + " is still " + std::string(to_string(r->state())));
    if (s.end && *s.end != r->state() && !s.receiver_lost)
      breaks("I1", name(s) + " had ended as " + std::string(to_string(*s.end)) + ", and now as " +
                       std::string(to_string(r->state())));
  }
}

std::string history::name(const story& s) {
  return s.what.id + " (" + s.what.sender.str() + " to " + s.what.target.str() + "/" + s.what.actor.str() + " " +
         s.what.action + ")";
}

// Calls.

std::uint64_t history::calls(const life_id& by, time_point until) {
  const auto id = calls_.size() + 1;
  calls_.emplace(id, call{by, until});
  return id;
}

namespace {

bool is_surely_not_done(error_code code) {
  switch (code) {
    case error_code::timeout:
    case error_code::unreachable:
    case error_code::refused:
    case error_code::not_found:
    case error_code::no_such_method:
    case error_code::bad_argument:
      return true;
    default:
      return false;
  }
}

}  // namespace

void history::answers(std::uint64_t id, const result<value>& how) {
  auto& c = calls_.at(id);
  const auto name = "call " + std::to_string(id) + " of " + c.by.node;
  if (++c.answers > 1) breaks("I9", name + " was answered twice");
  if (how && c.performed != 1)
    breaks("I9", name + " was answered, and performed " + std::to_string(c.performed) + " times");
  if (how || !is_surely_not_done(how.error().code)) return;
  c.surely_not_done = how.error().code;
  if (c.performed > 0) breaks("I9", name + " was done, and its answer says " + to_string(how.error()));
}

void history::performs(std::uint64_t id) {
  auto& c = calls_.at(id);
  const auto name = "call " + std::to_string(id) + " of " + c.by.node;
  if (++c.performed > 1) breaks("I9", name + " was performed twice");
  if (c.surely_not_done)
    breaks("I9", name + " was performed after its answer was " + std::string(to_string(*c.surely_not_done)));
}

void history::check_deadlines(const life_id& by, time_point now, time_point stalled) {
  for (const auto& [id, c] : calls_)
    if (c.by == by && c.answers == 0 && std::max(c.until, stalled) < now)
      breaks("I9", "call " + std::to_string(id) + " of " + by.node + " has no answer after its deadline");
}

// Monitors.

std::uint64_t history::watches(const life_id& by, const std::string& node) {
  const auto id = monitors_.size() + 1;
  const auto runs = lives_.find(node);
  monitors_.emplace(id, monitor{by, node, runs == lives_.end() ? 0 : runs->second});
  return id;
}

void history::fires(std::uint64_t id, bool believed_over) {
  auto& m = monitors_.at(id);
  const auto name = "monitor " + std::to_string(id) + " of " + m.by.node;
  if (++m.fired > 1) breaks("I9", name + " fired twice");
  const auto runs = lives_.find(m.node);
  if (!believed_over && runs != lives_.end() && runs->second == m.life)
    breaks("I9", name + " fired, and " + m.node + " was there all the time, and not taken for anything else");
}

void history::check_monitors(const life_id& by, const std::string& node) {
  for (const auto& [id, m] : monitors_)
    if (m.by == by && m.node == node && m.fired == 0)
      breaks("I9", "monitor " + std::to_string(id) + " of " + by.node + " did not fire when " + node + " ended");
}

history::totals history::count() const {
  totals t{.notifications = stories_.size(), .calls = calls_.size()};
  for (const auto& [id, s] : stories_) {
    t.accepted += s.accepted;
    t.begun += !s.begins.empty();
    t.repeated += s.begins.size() > 1;
    if (s.end) ++t.ended[*s.end];
  }
  for (const auto& [id, m] : monitors_) t.monitors_fired += m.fired > 0;
  return t;
}

}  // namespace flock::simulator
