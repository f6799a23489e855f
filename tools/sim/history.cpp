#include "tools/sim/history.hpp"

#include <algorithm>
#include <utility>

namespace flock::simulator {

void history::breaks(std::string invariant, std::string what) {
  if (!broken_) broken_ = breach{std::move(invariant), std::move(what)};
}

void history::life_began(const life_id& who) {
  lives_[who.node] = who.number;
  auto& d = declared_[who.node];
  if (d.by_chef == d.by_chef_for_good) return;
  d.by_chef = false;
  for (auto& [id, s] : stories_)
    if (s.what.target == who.node && !s.end) look_at_declared(s);
}

void history::life_ended(const std::string& node) { lives_.erase(node); }

void history::storage_lost(const std::string& node) {
  lost_.insert(node);
  declared_[node].by_chef = declared_[node].by_chef_for_good = false;
  std::erase_if(owed_, [&](const auto& a) { return std::get<0>(a.first) == node; });
  for (auto& [id, s] : stories_) {
    if (s.what.target == node) look_at_declared(s);
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

// What nodes declare.

void history::files_declare(const std::string& node, std::set<std::string> resources) {
  auto& d = declared_[node];
  if (d.by_files == resources) return;
  d.by_files = std::move(resources);
  for (auto& [id, s] : stories_)
    if (s.what.target == node && !s.end) look_at_declared(s);
}

void history::chef_declares(const std::string& node, bool durable) {
  auto& d = declared_[node];
  d.by_chef = true;
  d.by_chef_for_good = d.by_chef_for_good || durable;
}

void history::chef_ended(const std::string& node, bool well) {
  ++declared_[node].chefs_ended;
  if (!well) ++declared_[node].chefs_failed;
}

bool history::is_of_chef(const story& s) { return s.what.actor.str().starts_with("chef["); }

void history::look_at_declared(story& s) const {
  const auto at = declared_.find(s.what.target.str());
  const auto none = declared();
  const auto& d = at == declared_.end() ? none : at->second;
  const bool is_declared = is_of_chef(s) ? d.by_chef : d.by_files.contains(s.what.actor.str());
  // A run performs what it is given; what it declares is its own affair.
  s.was_declared = s.was_declared || is_declared || is_of_chef(s);
  s.was_missing = s.was_missing || !is_declared;
}

// Notifications.

void history::announced(const life_id& by, const notification_record& r, wall_time now, intent meant) {
  auto at = stories_.find(r.what.id);
  if (r.state() == receipt_state::queued) {
    if (at != stories_.end()) return breaks("I1", r.what.id + " was made twice");
    story s{.what = r.what, .meant = meant, .place = ++made_[by.node], .sender_life = by.number};
    s.chefs_before = declared_[r.what.target.str()].chefs_ended;
    s.chefs_failed_before = declared_[r.what.target.str()].chefs_failed;
    look_at_declared(s);
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
  const bool completed = is_completed(s, r);
  switch (r.state()) {
    case receipt_state::succeeded:
      if (!completed || s.meant != intent::work) breaks("I1", name(s) + " succeeded, and was never done");
      break;
    case receipt_state::failed:
      if (may_have_failed(s)) break;
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
      // Nor does Chef, whose runs took it and ended without a word.
      if (!s.receiver_lost && !s.sender_lost && !may_have_expired(s, now) && !given_up_by_chef(s))
        breaks("I1", name(s) + " ended as unknown without a reason: " + why);
      break;
    case receipt_state::queued:
    case receipt_state::accepted:
    case receipt_state::started:
      break;
  }
  if (s.begins.size() > 1 && !is_marked(r) && !s.sender_lost)
    breaks("I2", name(s) + " was begun twice, and not marked");
}

/// What was not declared all the time, or three Chef runs in a row could not perform.
bool history::may_have_failed(const story& s) const { return s.was_missing || given_up_by_chef(s); }

bool history::given_up_by_chef(const story& s) const {
  constexpr std::size_t attempts = 3;
  if (!is_of_chef(s)) return false;
  const auto& there = declared_.at(s.what.target.str());
  // One may be given something in the moment in which it ends well.
  return there.chefs_ended >= s.chefs_before + attempts && there.chefs_failed + 1 >= s.chefs_failed_before + attempts;
}

bool history::is_completed(const story& s, const notification_record& r) const {
  const auto is = [](const story& one) {
    return std::any_of(one.begins.begin(), one.begins.end(), [](const begin& b) { return b.completed; });
  };
  if (is(s)) return true;
  // A Chef run is told of the first one only of those that it performs together.
  const auto* with = is_of_chef(s) ? r.last().outcome["performed_with"].as_text() : nullptr;
  const auto other = with ? stories_.find(*with) : stories_.end();
  return other != stories_.end() && is(other->second);
}

bool history::is_marked(const notification_record& r) { return r.redelivered() || r.state() > receipt_state::failed; }

bool history::may_have_been_taken_twice(const story& s) const {
  return is_of_chef(s) && declared_.at(s.what.target.str()).chefs_ended > s.chefs_before;
}

void history::receiver_says(const life_id& by, story& s, const notification_record& r) {
  if (r.redelivered() && by.number == 1 && lost_.count(s.what.sender.str()) == 0 && !may_have_been_taken_twice(s))
    breaks("I2", name(s) + " is marked redelivered, and nobody had it before");
  if (!is_terminal(r.state())) return;
  s.ended_there = true;
  if (s.begins.size() > 1 && !is_marked(r))
    breaks("I2", name(s) + " was begun twice, and its receiver did not mark it");
}

bool history::may_have_expired(const story& s, wall_time now) const { return now + most_ahead_ >= s.what.expires; }

void history::accepted(const std::string& id) {
  if (auto at = stories_.find(id); at != stories_.end()) at->second.accepted = true;
}

void history::begins(const performer& by, const std::string& resource, const std::string& id, wall_time wall) {
  const auto found = stories_.find(id);
  if (found == stories_.end()) return breaks("I4", by.node + "/" + resource + " does " + id + ", which nobody sent");
  auto& s = found->second;
  if (s.what.target != by.node || s.what.actor.str() != resource || s.meant == intent::undeclared || !s.was_declared)
    breaks("I4", name(s) + " was begun by " + by.node + "/" + resource);
  if (s.end == receipt_state::expired || s.end == receipt_state::cancelled)
    breaks("I4", name(s) + " was begun after it was said to be " + std::string(to_string(*s.end)));
  // A clock that is set while it waits is not noticed: the wait is measured without it.
  // What a Chef run has in hand began when it took it.
  if (wall > s.what.expires && !s.clocks_differ && !is_of_chef(s))
    breaks("I4", name(s) + " was begun at " + format_time(wall) + ", and expired at " + format_time(s.what.expires));
  if (!s.begins.empty() && s.begins.back().by == by) breaks("I2", name(s) + " was begun twice in " + by.process);
  if (s.ended_there) breaks("I2", name(s) + " was begun again after its end was durable");
  if ((s.end == receipt_state::succeeded || s.end == receipt_state::failed) && !s.receiver_lost && !s.sender_lost)
    breaks("I2", name(s) + " was begun again after its sender was told how it ended");
  if (s.begins.empty()) {
    auto& last = last_begun_[{s.what.sender.str(), by.node, resource}];
    // What was damaged comes again, behind what was sent since.
    if (s.place < last && !s.receiver_lost && !s.sender_lost)
      breaks("I3", name(s) + " was begun after one that was made later");
    last = std::max(last, s.place);
  }
  s.begins.push_back({by});
}

void history::completes(const performer& by, const std::string& id) {
  const auto found = stories_.find(id);
  if (found == stories_.end() || found->second.begins.empty()) return;
  auto& last = found->second.begins.back();
  if (last.by == by) last.completed = true;
}

bool history::was_completed(const std::string& id) const {
  const auto found = stories_.find(id);
  return found != stories_.end() && std::any_of(found->second.begins.begin(), found->second.begins.end(),
                                                [](const begin& b) { return b.completed; });
}

// What is owed.

void history::owes(const std::string& node, const std::string& resource, const std::string& action,
                   const std::string& wish, const std::string& updated) {
  owed_[{node, resource, action}].emplace(wish, updated);
}

/// How many notifications of that kind a node has made and still knows of: what a crash took back was not asked for.
std::size_t history::asked_for(const kind& k, const ledger& records) const {
  const auto& [node, resource, action] = k;
  return static_cast<std::size_t>(std::count_if(stories_.begin(), stories_.end(), [&](const auto& each) {
    const auto& [id, s] = each;
    return s.what.sender == node && s.what.actor.str() == resource && s.what.action == action &&
           (s.end || records.find(id) != nullptr);
  }));
}

/// How many of them one action had, at most.
std::size_t history::most_wishes_at_once(const std::map<std::string, std::string>& wishes, const std::string& updated) {
  std::map<std::string, std::size_t> counts;
  std::size_t most = 0;
  for (const auto& [wish, resource] : wishes)
    if (resource == updated) most = std::max(most, ++counts[wish.substr(0, wish.find(' '))]);
  return most;
}

void history::check_owed(const std::string& node, const ledger& records, const event_log& said) {
  std::map<kind, std::size_t> told;
  const auto page = said.since(std::nullopt);
  for (const auto& e : page->events)
    if (e.type == "not_notified" || e.type == "not_told")
      ++told[{node, *e.members.at("resource").as_text(), *e.members.at("action").as_text()}];
  for (const auto& [k, count] : told) not_notified_ += count;
  for (const auto& [k, wishes] : owed_) {
    if (std::get<0>(k) != node) continue;
    auto done = asked_for(k, records) + told[k];
    // Of an action in whose middle it ended, a node can only say that nobody knows what others should hear.
    std::set<std::string> updated;
    for (const auto& [wish, resource] : wishes) updated.insert(resource);
    for (const auto& resource : updated) done += told[{node, resource, "run"}] * most_wishes_at_once(wishes, resource);
    if (done >= wishes.size()) continue;
    breaks("I12", node + " owed " + std::get<1>(k) + " " + std::get<2>(k) + " " + std::to_string(wishes.size()) +
                      " times, and asked for it, or said why not, " + std::to_string(done) + " times; the last was " +
                      wishes.rbegin()->first);
  }
}

// What users ask of their own flockd.

std::uint64_t history::asks(const life_id& by, std::string what, std::optional<time_point> until) {
  questions_.emplace(++asked_, question{by, std::move(what), until});
  return asked_;
}

void history::told(std::uint64_t id) {
  if (questions_.erase(id) == 0) breaks("I9", "question " + std::to_string(id) + " was answered twice");
}

const std::string* history::waiting(const life_id& by) const {
  const auto at = std::find_if(questions_.begin(), questions_.end(),
                               [&](const auto& q) { return q.second.by == by && !q.second.until; });
  return at == questions_.end() ? nullptr : &at->second.what;
}

void history::check_told(const life_id& by) {
  if (const auto* what = waiting(by)) breaks("I12", "who asked " + by.node + " to " + *what + " waits for ever");
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
  for (const auto& [id, q] : questions_)
    if (q.by == by && q.until && std::max(*q.until, stalled) < now)
      breaks("I12", q.what + " of " + by.node + " has no answer after its deadline");
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
  totals t{.notifications = stories_.size(), .calls = calls_.size(), .asked = asked_};
  for (const auto& [id, s] : stories_) {
    t.accepted += s.accepted;
    t.begun += !s.begins.empty();
    t.repeated += s.begins.size() > 1;
    if (s.end) ++t.ended[*s.end];
  }
  for (const auto& [id, m] : monitors_) t.monitors_fired += m.fired > 0;
  for (const auto& [k, wishes] : owed_) t.owed += wishes.size();
  t.not_notified = not_notified_;
  for (const auto& [node, d] : declared_) t.chef_ended += d.chefs_ended;
  return t;
}

}  // namespace flock::simulator
