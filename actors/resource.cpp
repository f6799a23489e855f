#include "actors/resource.hpp"

#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <utility>

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

result<value> to_answer(const declaration& what, const std::string& action, const action_report& report) {
  if (report.how == outcome::failed) {
    const auto failed = report.why->within(what.name.str() + ": " + action);
    const auto end = end_of(report.output);
    return error{failed.code, end.empty() ? failed.what : failed.what + "\n" + std::string(end)};
  }
  value good =
      value::map{{"outcome", to_string(report.how)}, {"exit_status", report.exit_status}, {"output", report.output}};
  return good;
}

}  // namespace

/// The actions of one resource: the one under way and those that wait for it. Safe for threads.
class resource::work : public std::enable_shared_from_this<work> {
 public:
  struct wanted {
    std::string action;
    action_context context;
    responder answer;
  };

  work(surroundings around, std::shared_ptr<const declaration> declared)
      : around_(std::move(around)), declared_(std::move(declared)) {}

  void add(wanted w) {
    if (!enqueue(w)) {
      w.answer(error{error_code::refused, std::to_string(max_waiting) + " actions wait for " + declared_->name.str()});
    } else if (is_first()) {
      begin_next();
    }
  }

  void close() {
    std::deque<wanted> dropped;
    {
      std::lock_guard lock(mutex_);
      dropped.swap(waiting_);
    }
    for (auto& w : dropped) w.answer(error{error_code::down, declared_->name.str() + " is no more; not done"});
  }

  value state() const {
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

  const declaration& declared() const { return *declared_; }

 private:
  struct ended_action {
    std::string action;
    outcome how;
    wall_time at;
    std::string run;
    std::optional<std::string> why;
  };

  /// \returns whether there was room
  bool enqueue(wanted& w) {
    std::lock_guard lock(mutex_);
    if (waiting_.size() >= max_waiting) return false;
    waiting_.push_back(std::move(w));
    return true;
  }

  /// \returns whether nothing is under way; from now on something is
  bool is_first() {
    std::lock_guard lock(mutex_);
    return !std::exchange(running_, true);
  }

  /// Performs what waits, one after the other, each on a thread of its own if it may block.
  void begin_next() {
    while (auto next = take()) {
      if (may_block(next->action)) {
        auto job = [self = shared_from_this(), w = std::move(*next)]() mutable {
          self->finish(std::move(w));
          self->begin_next();
        };
        return around_.threads.run_blocking(std::move(job));
      }
      finish(*std::move(next));
    }
  }

  std::optional<wanted> take() {
    std::lock_guard lock(mutex_);
    running_ = !waiting_.empty();
    if (!running_) return std::nullopt;
    auto next = std::move(waiting_.front());
    waiting_.pop_front();
    return next;
  }

  bool may_block(const std::string& action) const {
    return action != "nothing" && (!declared_->guards.empty() || declared_->what->may_block());
  }

  void finish(wanted w) {
    const auto report = try_to_perform(w);
    auto answer = to_answer(*declared_, w.action, report);
    if (!w.context.why_run && w.action != "nothing") {
      remember(w, report, answer);
      if (report.how == outcome::updated) around_.updated(declared_->name, w.action, w.context);
    }
    w.answer(std::move(answer));
  }

  action_report try_to_perform(const wanted& w) const {
    try {
      return perform(*declared_, w.action, {w.context.why_run, around_.stopping, around_.log});
    } catch (const std::exception& e) {  // out of memory, in the main
      return action_report::failed({error_code::maybe_done, e.what()});
    }
  }

  void remember(const wanted& w, const action_report& report, const result<value>& answer) {
    ended_action last{w.action, report.how, around_.time.wall(), w.context.run, std::nullopt};
    if (!answer) last.why = answer.error().what;
    std::lock_guard lock(mutex_);
    last_ = std::move(last);
  }

  const surroundings around_;
  const std::shared_ptr<const declaration> declared_;
  mutable std::mutex mutex_;  // guards all below
  std::deque<wanted> waiting_;
  bool running_ = false;
  std::optional<ended_action> last_;
};

resource::resource(surroundings around, std::shared_ptr<const declaration> declared)
    : work_(std::make_shared<work>(std::move(around), std::move(declared))), methods_(work_->declared().type->actions) {
  methods_.push_back({.name = "state", .doc = "how its last action ended", .parameters = {}, .returns = "map"});
}

resource::~resource() { work_->close(); }

void resource::invoke(std::string_view method, const value::list& arguments, responder answer) {
  const auto& declared = work_->declared();
  if (method == "state") return answer(work_->state());
  if (!declared.type->has_action(method)) {
    return answer(error{error_code::no_such_method, declared.name.str() + " has no action " + std::string(method) +
                                                        "; there are " + declared.type->action_names()});
  }
  if (arguments.size() > 1) {
    return answer(error{error_code::bad_argument,
                        "an action takes one argument at most, got " + std::to_string(arguments.size())});
  }
  auto context = arguments.empty() ? action_context() : action_context::from_value(arguments.front());
  if (!context) return answer(context.error().within("argument 1"));
  work_->add({std::string(method), *std::move(context), std::move(answer)});
}

}  // namespace flock
