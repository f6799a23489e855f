#include "actors/resource/convergence.hpp"

#include <utility>

namespace flock {

using internal::sentence;
using internal::whole_at_end;

convergence::convergence(std::string life, const clock& time, debts& owed, host& of)
    : life_(std::move(life)), time_(time), debts_(owed), host_(of) {}

void convergence::start(const std::vector<declaration>& resources, bool why_run, responder answer) {
  const whole_at_end look([this] { return check(); });
  if (current_) {
    const auto since = format_time(current_->state.started());
    return answer(error{error_code::conflict, "a run is under way since " + since});
  }
  if (stopping_) return answer(error{error_code::shutting_down, "this node stops"});
  current_.emplace(progress{.state = run(next_id(), time_.wall(), why_run, debts_), .answer = std::move(answer)});
  for (const auto& r : resources) current_->left.push_back({r.name, r.action});
  advance();
}

void convergence::updated(std::vector<wanted_action> wanted, const action_context& why) {
  const whole_at_end look([this] { return check(); });
  if (current_ && current_->state.id() == why.run) {
    current_->sent += send_all(current_->state.updated(std::move(wanted)));
    return;
  }
  run alone(next_id(), time_.wall(), why.why_run, debts_);
  send_all(alone.updated(std::move(wanted)));
  send_all(alone.finish(true));
}

result<std::string> convergence::delay(wanted_action what, const std::optional<std::string>& id) {
  const whole_at_end look([this] { return check(); });
  if (!current_)
    return error{error_code::conflict, id ? "run " + *id + " has ended" : "no run is under way on this node"};
  if (id && *id != current_->state.id())
    return error{error_code::conflict, "run " + *id + " has ended; under way is " + current_->state.id()};
  if (current_->state.why_run())
    return error{error_code::conflict, "run " + current_->state.id() + " only says what would be done"};
  what.when = timing::delayed;
  current_->state.updated({std::move(what)});
  return current_->state.id();
}

std::string convergence::next_id() { return life_ + "." + std::to_string(++runs_); }

/// Asks for one action after the other, in a loop rather than from within the answers, which may come at once.
void convergence::advance() {
  if (std::exchange(advancing_, true)) return;
  while (current_ && !waiting_) {
    const bool is_complete = current_->success && current_->left.empty();
    if (stopping_ && !is_complete)
      leave();  // what failed may have done so because of the stop
    else if (is_complete || !current_->success)
      finish();
    else
      perform_next();
  }
  advancing_ = false;
}

void convergence::perform_next() {
  const auto next = std::move(current_->left.front());
  current_->left.pop_front();
  waiting_ = true;
  const bool owes = !current_->state.why_run() && host_.is_awaited(next.what);
  if (!owes) return perform(next);
  debts_.intend(current_->state.id(), next.what, next.action, [this, next](debts::number intent) {
    current_->intent = intent;
    perform(next);
  });
}

void convergence::perform(const step& s) {
  host_.perform(s.what, s.action, {.run = current_->state.id(), .why_run = current_->state.why_run()},
                [this, s](result<value> answer) { finish_step(s, std::move(answer)); });
}

void convergence::finish_step(const step& s, result<value> answer) {
  if (const auto intent = std::exchange(current_->intent, 0)) debts_.settle(intent);
  value::map line{{"resource", s.what.str()}, {"action", s.action}};
  const bool failed = !answer || (*answer)["outcome"] == value(to_string(outcome::failed));
  if (!answer) {
    line["outcome"] = to_string(outcome::failed);
    line["error"] = answer.error().what;
  } else {
    line["outcome"] = (*answer)["outcome"];
    if (failed) line["error"] = answer->at_path("error.message");
    if (failed) line["exit_status"] = (*answer)["exit_status"];
    if (failed || current_->state.why_run()) line["output"] = (*answer)["output"];
    if (line["outcome"] == value(to_string(outcome::updated))) ++current_->updated;
  }
  if (failed) current_->success = false;
  current_->done.emplace_back(std::move(line));
  waiting_ = false;
  advance();
}

void convergence::finish() {
  current_->sent += send_all(current_->state.finish(current_->success));
  // The answer may start the next run.
  const auto ended = std::move(*current_);
  current_.reset();
  value::map summary{{"run", ended.state.id()},
                     {"started", format_time(ended.state.started())},
                     {"ended", format_time(time_.wall())},
                     {"success", ended.success},
                     {"why_run", ended.state.why_run()},
                     {"resources", ended.done},
                     {"updated", ended.updated},
                     {"notifications", ended.sent}};
  ended.answer(value(std::move(summary)));
}

void convergence::leave() {
  host_.leave(current_->state);
  const auto left = std::move(*current_);
  current_.reset();
  left.answer(error{error_code::shutting_down, "run " + left.state.id() + " was cut off, as this node stops"});
}

void convergence::stop() {
  stopping_ = true;
  advance();
}

std::int64_t convergence::send_all(const std::vector<wanted_action>& wanted) {
  for (const auto& w : wanted) host_.send(w);
  return static_cast<std::int64_t>(wanted.size());
}

broken convergence::check() const {
  if (waiting_ && !current_) return "an action is waited for, and no run is under way";
  if (!current_) return {};
  if (!waiting_ && !advancing_) return sentence("run ", current_->state.id(), " waits for nothing");
  return current_->state.check();
}

}  // namespace flock
