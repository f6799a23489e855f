#include "node/chef/chef_runs.hpp"

#include <algorithm>
#include <numeric>
#include <set>
#include <utility>

namespace flock {

using internal::sentence;
using internal::whole_at_end;

namespace {

// Somebody who waits for the end of one hears of it at once, or asks within some seconds: there are few between.
constexpr std::size_t remembered_ends = 16;

}  // namespace

std::string_view to_string(chef_runs::reason r) { return r == chef_runs::reason::requested ? "requested" : "notified"; }

chef_runs::chef_runs(std::string life, const clock& time, host& of, options o)
    : life_(std::move(life)), time_(time), host_(of), options_(o) {}

// What is wanted.

void chef_runs::allow_start(bool can_start) {
  options_.can_start = can_start;
  consider();
}

void chef_runs::perform(errand what, beginning begin, responder answer) {
  const whole_at_end look([this] { return check_runs(); });
  if (stopped_) return answer(error{error_code::shutting_down, "this node stops"});
  if (const auto others = waiting(); others >= options_.waiting)
    return answer(error{error_code::refused, std::to_string(others) + " actions wait for a Chef run on this node"});
  joint_action::waiter a{what.why, std::move(begin), std::move(answer)};
  if (auto* same = same_as(what)) return same->joint.join(std::move(a));
  what.number = ++numbered_;
  joint_action joint(what.action, std::move(a));
  waiting_.push_back({std::move(what), std::move(joint)});
  give_next();
  consider();
}

/// The last action that waits for this resource, if it is the same one and no run has had it. No other is joined, so
/// that start, stop, start stay three.
chef_runs::entry* chef_runs::same_as(const errand& what) {
  const auto at = std::find_if(waiting_.rbegin(), waiting_.rend(),
                               [&](const entry& e) { return e.what.resource == what.resource; });
  return at != waiting_.rend() && at->is_fresh() && at->what.action == what.action ? &*at : nullptr;
}

std::size_t chef_runs::waiting() const {
  return std::accumulate(waiting_.begin(), waiting_.end(), std::size_t{0},
                         [](std::size_t sum, const entry& e) { return sum + e.joint.waiters(); });
}

void chef_runs::give_next() {
  if (!current_ || !current_->ready) return;
  auto in_hand =
      static_cast<std::size_t>(std::count_if(waiting_.begin(), waiting_.end(), [](auto& e) { return e.given; }));
  for (auto e = waiting_.begin(); e != waiting_.end() && in_hand < options_.given;) {
    if (!e->given && !e->joint.begin()) {
      e = waiting_.erase(e);
      continue;
    }
    if (!std::exchange(e->given, true)) {
      ++in_hand;
      e->what.why = e->joint.why();
      current_->reasons.emplace(e->what.number, e->what.why);
      host_.give(e->what);
    }
    ++e;
  }
}

result<void> chef_runs::performed(std::uint64_t number, result<value> how) {
  const whole_at_end look([this] { return check_runs(); });
  const auto at =
      std::find_if(waiting_.begin(), waiting_.end(), [&](auto& e) { return e.what.number == number && e.given; });
  if (at == waiting_.end())
    return error{error_code::not_found, "this run was not given number " + std::to_string(number)};
  const auto done = std::move(*at);
  waiting_.erase(at);
  failures_ = 0;
  done.joint.tell(how);
  give_next();
  return {};
}

std::vector<joint_action> chef_runs::release(const resource_name& of) {
  std::vector<joint_action> released;
  for (auto e = waiting_.begin(); e != waiting_.end();) {
    if (e->given || e->what.resource != of) {
      ++e;
      continue;
    }
    released.push_back(std::move(e->joint));
    e = waiting_.erase(e);
  }
  return released;
}

void chef_runs::refuse_unless(const std::function<bool(const resource_name&)>& is_declared) {
  std::set<resource_name> gone;
  for (const auto& e : waiting_)
    if (!e.given && !is_declared(e.what.resource)) gone.insert(e.what.resource);
  for (const auto& name : gone)
    for (const auto& w : release(name))
      w.tell(error{error_code::down, name.str() + ": " + w.name() + ": not begun, as it is declared no more"});
}

const action_context* chef_runs::why(std::uint64_t number) const {
  if (!current_) return nullptr;
  const auto at = current_->reasons.find(number);
  return at == current_->reasons.end() ? nullptr : &at->second;
}

// Runs.

const std::string& chef_runs::current() const {
  static const std::string none;
  return current_ ? current_->id : none;
}

result<std::string> chef_runs::begin(bool why_run) {
  const whole_at_end look([this] { return check_runs(); });
  if (current_) return error{error_code::conflict, "a Chef run is under way since " + format_time(current_->started)};
  current_.emplace(run_under_way{life_ + ".chef" + std::to_string(++runs_), time_.wall(), why_run});
  start_at_.reset();
  if (!why_run) requested_ = false;
  return current_->id;
}

void chef_runs::ready() {
  const whole_at_end look([this] { return check_runs(); });
  if (!current_ || current_->why_run) return;
  current_->ready = true;
  if (command_) command_->has_run = true;
  give_next();
}

void chef_runs::end(bool success, std::string why) {
  const whole_at_end look([this] { return check_runs(); });
  if (!current_) return;
  const auto ended = *std::exchange(current_, std::nullopt);
  const bool was_awaited = command_ && command_->until;
  if (was_awaited && !ended.why_run && !ended.ready && !success) {
    count_attempt({error_code::io, "the Chef run failed: " + why}, [](const entry&) { return true; });
  } else {
    count_attempt({error_code::maybe_done, "the Chef run ended without a word of it: " + why},
                  [](const entry& e) { return e.given; });
  }
  if (was_awaited) command_.reset();
  if (!command_) episode_ended(ended.id, ended.started, success, why, {});
  consider();
}

void chef_runs::command_ended(result<int> how, std::string output) {
  const whole_at_end look([this] { return check_runs(); });
  if (!command_ || stopped_) return;
  const bool good = how && *how == 0;
  if (good && !command_->has_run && !current_) {
    // It may have woken a Chef that is about to begin.
    command_->until = time_.now() + options_.patience;
    return host_.wake_at(*command_->until);
  }
  const auto ended = *std::exchange(command_, std::nullopt);
  const auto why = good ? std::string() : how ? "exit status " + std::to_string(*how) : how.error().what;
  if (!good && !ended.has_run) {
    count_attempt({error_code::io, "the Chef run failed: " + why + "\n" + output}, [](const entry&) { return true; });
  }
  if (!current_) episode_ended({}, ended.started, good, why, output);
  consider();
}

void chef_runs::expire() {
  const auto ended = *std::exchange(command_, std::nullopt);
  const std::string why = "the command ended well, but no Chef run began";
  count_attempt({error_code::io, why}, [](const entry&) { return true; });
  episode_ended({}, ended.started, false, why, {});
}

/// Some of what waits was in vain: it waits again, or has failed for good.
template <class Which> void chef_runs::count_attempt(const error& why, Which which) {
  std::deque<entry> kept, lost;
  bool any = false;
  for (auto& e : waiting_) {
    const bool counts = which(e);
    any = any || counts;
    e.given = false;
    if (counts) ++e.attempts;
    (counts && e.attempts >= options_.attempts ? lost : kept).push_back(std::move(e));
  }
  waiting_ = std::move(kept);
  if (any) pause();
  for (const auto& e : lost) e.joint.tell(why.within("given up after " + std::to_string(options_.attempts) + " runs"));
}

void chef_runs::pause() {
  const auto doubled = options_.pause_first * (std::int64_t{1} << std::min(failures_++, 20));
  not_before_ = time_.now() + std::min<milliseconds>(doubled, options_.pause_last);
}

void chef_runs::episode_ended(std::string_view id, wall_time started, bool success, const std::string& why,
                              const std::string& output) {
  ++ended_;
  not_before_ = std::max(not_before_, time_.now() + options_.rest);
  last_ = value::map{{"number", ended_},
                     {"run", std::string(id)},
                     {"started", format_time(started)},
                     {"ended", format_time(time_.wall())},
                     {"success", success},
                     {"error", why.empty() ? value() : value(why)},
                     {"output", output}};
  ended_lately_.push_back(last_);
  if (ended_lately_.size() > remembered_ends) ended_lately_.pop_front();
  const auto upto = ends_.upper_bound(ended_);
  std::multimap<std::uint64_t, responder> told;
  for (auto at = ends_.begin(); at != upto;) told.insert(ends_.extract(at++));
  for (auto& [number, answer] : told) answer(last_);
}

// Starting one.

result<std::uint64_t> chef_runs::request() {
  if (!options_.can_start) return error{error_code::refused, "no chef-command is configured on this node"};
  const bool behind_another = current_ || command_;
  requested_ = true;
  start_at_ = time_.now();
  consider();
  return ended_ + (behind_another ? 2 : 1);
}

void chef_runs::when_ended(std::uint64_t number, responder answer) {
  const whole_at_end look([this] { return check_runs(); });
  if (stopped_) return answer(error{error_code::shutting_down, "this node stops"});
  if (number <= ended_) {
    const auto ago = std::min<std::uint64_t>(ended_ - number, ended_lately_.size() - 1);
    return answer(ended_lately_[ended_lately_.size() - 1 - ago]);
  }
  ends_.emplace(number, std::move(answer));
}

void chef_runs::wake() {
  const whole_at_end look([this] { return check_runs(); });
  if (stopped_) return;
  if (command_ && command_->until && !current_ && time_.now() >= *command_->until) expire();
  consider();
}

void chef_runs::consider() {
  if (!options_.can_start || stopped_ || current_ || command_ || (waiting_.empty() && !requested_)) return;
  const auto now = time_.now();
  if (!start_at_) start_at_ = now + options_.debounce;
  if (!requested_) start_at_ = std::max(*start_at_, not_before_);
  if (now < *start_at_) return host_.wake_at(*start_at_);
  if (host_.is_locked()) {
    start_at_ = now + options_.look_again;
    return host_.wake_at(*start_at_);
  }
  start();
}

void chef_runs::start() {
  start_at_.reset();
  command_.emplace(command_under_way{time_.wall()});
  host_.start_command(std::exchange(requested_, false) ? reason::requested : reason::notified);
}

void chef_runs::stop() {
  const whole_at_end look([this] { return check_runs(); });
  stopped_ = true;
  auto dropped = std::exchange(waiting_, {});
  auto ends = std::exchange(ends_, {});
  for (const auto& e : dropped) e.joint.tell(error{error_code::shutting_down, "this node stops"});
  for (auto& [number, answer] : ends) answer(error{error_code::shutting_down, "this node stops"});
}

broken chef_runs::check() const {
  auto why = check_runs();
  return why ? why : check_waiting();
}

broken chef_runs::check_runs() const {
  if (current_ && current_->why_run && current_->ready)
    return sentence("run ", current_->id, " only says what would be done, and takes what waits");
  if (!ends_.empty() && ends_.begin()->first <= ended_)
    return sentence("somebody waits for the end of run ", ends_.begin()->first, " of the ", ended_, " that have ended");
  if (ended_lately_.size() != std::min<std::uint64_t>(ended_, remembered_ends))
    return sentence(ended_lately_.size(), " ends are remembered, of ", ended_);
  if (stopped_ && !(waiting_.empty() && ends_.empty())) return "somebody waits, and the node stops";
  return {};
}

broken chef_runs::check_waiting() const {
  std::uint64_t before = 0;
  std::size_t given = 0;
  for (const auto& e : waiting_) {
    const auto name = [&] { return sentence("number ", e.what.number, ", ", e.what.resource, " ", e.what.action); };
    if (e.what.number <= before || e.what.number > numbered_)
      return sentence(name(), ", waits behind ", before, ", and the last number is ", numbered_);
    before = e.what.number;
    if (e.attempts >= options_.attempts) return sentence(name(), ", waits after ", e.attempts, " attempts");
    if (!e.given) continue;
    if (!current_ || !current_->ready || !current_->reasons.contains(e.what.number))
      return sentence(name(), ", is given, and no run has it");
    if (++given > options_.given) return sentence(given, " actions are given at once, of at most ", options_.given);
  }
  return {};
}

}  // namespace flock
