#include "actors/resource/resource_work.hpp"

#include <exception>
#include <utility>
#include <vector>

namespace flock {
namespace {

// What an error quotes of the output: a screenful.
constexpr std::size_t quoted_output = 4'096;

std::string_view end_of(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (text.size() <= quoted_output) return text;
  text.remove_prefix(text.size() - quoted_output);
  const auto line = text.find('\n');
  return line == std::string_view::npos ? text : text.substr(line + 1);
}

/// Why the guards forbid an action; nothing if they let it pass. Errors: of run_command, and io for one that hangs
result<std::optional<std::string>> reason_to_skip(const declaration& what, const std::stop_token& stopping) {
  const auto holds = [&](const std::string& line) -> result<bool> {
    command guard = what.what->guard();
    guard.line = line;
    guard.timeout = guards::timeout;
    auto ended = run_command(guard, stopping);
    if (!ended) return ended.error().within("guard `" + line + "`");
    if (ended->timed_out || ended->cancelled) return error{error_code::io, "guard `" + line + "`: " + ended->why()};
    return ended->succeeded();
  };
  const auto look = [&](const std::vector<std::string>& lines, bool wanted,
                        std::string_view label) -> result<std::optional<std::string>> {
    for (const auto& line : lines) {
      const auto held = holds(line);
      if (!held) return held.error();
      if (*held != wanted) return std::optional("skipped due to " + std::string(label) + " `" + line + "`");
    }
    return std::optional<std::string>();
  };
  auto reason = look(what.guards.only_if, true, "only_if");
  if (!reason || *reason) return reason;
  return look(what.guards.not_if, false, "not_if");
}

action_report perform(const declaration& what, const std::string& action, const attempt& how) {
  if (action == "nothing") return {.how = outcome::skipped, .output = "skipped due to action nothing"};
  const auto reason = reason_to_skip(what, how.stopping);
  if (!reason) return action_report::failed(reason.error());
  if (*reason) return {.how = outcome::skipped, .output = **reason};
  return what.what->perform(action, how);
}

/// Whether it was performed for certain, and failed; otherwise it was not, or nobody can tell.
bool is_certain(const error& why) {
  return why.code != error_code::maybe_done && why.code != error_code::shutting_down;
}

error explained(const declaration& what, const std::string& action, const action_report& report) {
  return report.why->within(what.name.str() + ": " + action);
}

result<value> to_answer(const declaration& what, const std::string& action, const action_report& report) {
  const bool failed = report.how == outcome::failed;
  if (failed && !is_certain(*report.why)) {
    const auto why = explained(what, action, report);
    const auto end = end_of(report.output);
    return error{why.code, end.empty() ? why.what : why.what + "\n" + std::string(end)};
  }
  // What failed without a status of a command has none.
  const bool has_status = !failed || report.exit_status != 0;
  value::map told{{"outcome", to_string(report.how)},
                  {"exit_status", has_status ? value(report.exit_status) : value()},
                  {"output", report.output}};
  if (failed) {
    const auto why = explained(what, action, report);
    told["error"] = value::map{{"code", to_string(why.code)}, {"message", why.what}};
  }
  return value(std::move(told));
}

bool is_same(const joint_action& waiting, const std::string& action, const action_context& why) {
  const auto& its = waiting.first_reason();
  return waiting.name() == action && its.run == why.run && its.why_run == why.why_run;
}

bool may_block(const declaration& what, const std::string& action) {
  return action != "nothing" && (!what.guards.empty() || what.what->may_block());
}

}  // namespace

resource_work::resource_work(surroundings around, std::shared_ptr<const declaration> declared)
    : around_(std::move(around)), declared_(std::move(declared)) {}

void resource_work::declare(std::shared_ptr<const declaration> anew) {
  std::lock_guard lock(mutex_);
  declared_ = std::move(anew);
}

void resource_work::withdraw() {
  for (const auto& w : release()) refuse(w, error_code::down, "it is declared no more");
}

std::deque<joint_action> resource_work::release() {
  std::lock_guard lock(mutex_);
  waiters_ = 0;
  return std::exchange(waiting_, {});
}

void resource_work::take(joint_action w) {
  const auto action = w.name();
  if (!declared()->type->has_action(action))
    return refuse(w, error_code::no_such_method, "it has no such action, now that a file declares it");
  for (auto& a : std::move(w).release()) add(action, std::move(a));
}

std::shared_ptr<const declaration> resource_work::declared() const {
  std::lock_guard lock(mutex_);
  return declared_;
}

value resource_work::state() const {
  std::lock_guard lock(mutex_);
  value::list actions;
  for (const auto& a : declared_->type->actions) actions.emplace_back(a.name);
  value::map all{{"resource", declared_->name.str()},
                 {"actions", std::move(actions)},
                 {"state", running_ ? "running" : "idle"},
                 {"action", value()},
                 {"outcome", value()},
                 {"at", value()},
                 {"run", value()},
                 {"error", value()}};
  if (last_) {
    all["action"] = last_->action;
    all["outcome"] = to_string(last_->how);
    all["at"] = format_time(last_->at);
    all["run"] = last_->run;
    if (last_->why) all["error"] = *last_->why;
  }
  return all;
}

void resource_work::add(const std::string& action, joint_action::waiter a) {
  if (const auto full = enqueue(action, a))
    a.answer(error{error_code::refused, *full + " wait for " + declared()->name.str()});
  else if (is_first())
    begin_next();
}

/// \returns what there is too much of, if there is no room
std::optional<std::string> resource_work::enqueue(const std::string& action, joint_action::waiter& a) {
  std::lock_guard lock(mutex_);
  const bool joins = !waiting_.empty() && is_same(waiting_.back(), action, a.why);
  if (waiters_ >= max_waiters) return std::to_string(waiters_) + " requests";
  if (!joins && waiting_.size() >= max_waiting) return std::to_string(waiting_.size()) + " actions";
  if (joins)
    waiting_.back().join(std::move(a));
  else
    waiting_.emplace_back(action, std::move(a));
  ++waiters_;
  return std::nullopt;
}

/// \returns whether nothing is under way; from now on something is
bool resource_work::is_first() {
  std::lock_guard lock(mutex_);
  return !std::exchange(running_, true);
}

/// Performs what waits, one after the other, each on a thread of its own if it may block.
void resource_work::begin_next() {
  while (auto w = next()) {
    if (may_block(*declared(), w->name())) {
      auto job = [self = shared_from_this(), w = std::move(*w)]() mutable {
        self->finish(std::move(w));
        self->begin_next();
      };
      return around_.threads.run_blocking(std::move(job));
    }
    finish(*std::move(w));
  }
}

std::optional<joint_action> resource_work::next() {
  std::lock_guard lock(mutex_);
  running_ = !waiting_.empty();
  if (!running_) return std::nullopt;
  auto first = std::move(waiting_.front());
  waiting_.pop_front();
  waiters_ -= first.waiters();
  return first;
}

void resource_work::finish(joint_action w) {
  // What has not begun is for the next life of this node.
  if (around_.stopping.stop_requested()) return refuse(w, error_code::shutting_down, "the node is stopping");
  if (!w.begin()) return;
  const auto what = declared();
  const auto why = w.why();
  const auto report = try_to_perform(*what, w.name(), why);
  if (!why.why_run && w.name() != "nothing") {
    remember(*what, w.name(), why, report);
    if (report.how == outcome::updated) around_.updated(what->name, w.name(), why);
  }
  w.tell(to_answer(*what, w.name(), report));
}

void resource_work::refuse(const joint_action& w, error_code code, std::string_view why) const {
  w.tell(error{code, declared()->name.str() + ": " + w.name() + ": not begun, as " + std::string(why)});
}

action_report resource_work::try_to_perform(const declaration& what, const std::string& action,
                                            const action_context& why) const {
  try {
    auto notifications = why.joined;
    if (!why.notification.empty()) notifications.insert(notifications.begin(), why.notification);
    return perform(what, action,
                   {why.why_run, why.run, around_.stopping, around_.log, around_.node, std::move(notifications)});
  } catch (const std::exception& e) {  // out of memory, in the main
    return action_report::failed({error_code::maybe_done, e.what()});
  }
}

void resource_work::remember(const declaration& what, const std::string& action, const action_context& why,
                             const action_report& report) {
  ended_action last{action, report.how, around_.time.wall(), why.run, std::nullopt};
  if (report.why) last.why = explained(what, action, report).what;
  std::lock_guard lock(mutex_);
  last_ = std::move(last);
}

}  // namespace flock
