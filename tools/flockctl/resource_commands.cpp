#include "libflock/words/notification.hpp"
#include "libflock/words/run.hpp"
#include "tools/flockctl/command.hpp"
#include "tools/flockctl/location_options.hpp"
#include "tools/flockctl/views.hpp"

#include <chrono>
#include <map>
#include <utility>

namespace flock::ctl {
namespace {

using namespace std::chrono_literals;

// A run, and the actions of others, take what they take; but no wait is endless.
constexpr milliseconds longest_run = 1h;
constexpr milliseconds longest_action = 5min;

// What was asked for is flockd's: it goes on without flockctl.
constexpr std::string_view only_the_wait = " (Ctrl-C ends the wait only)";

const std::vector<column>& notification_columns() {
  static const std::vector<column> columns = {{"ID", "id"},           {"NODE", "node"},   {"RESOURCE", "resource"},
                                              {"ACTION", "action"},   {"STATE", "state"}, {"OUTCOME", "outcome"},
                                              {"CREATED", "created"}, {"ERROR", "error"}};
  return columns;
}

result<exit_code> show_notifications(const invocation& i, result<value> answer, until_state waited_for) {
  if (!answer) return answer.error();
  const auto notifications = list_in(*std::move(answer), "notifications");
  if (!notifications) return notifications.error();
  i.out.rows(*notifications, notification_columns(), "nobody is notified");
  return exit_code_of(*notifications, waited_for);
}

result<exit_code> notify_after_run(const invocation& i, value::map what) {
  if (i.words.has("wait"))
    return error{error_code::bad_argument, "--on sends at the end of the run: there is nothing to --wait for before"};
  const auto on = i.words.one("on").value_or("always");
  what.emplace("timing", "delayed");
  what.emplace("on", on);
  const auto path = target({"v1", "notify"}, i.run.empty() ? parameters() : parameters{{"run", i.run}});
  const auto answer = i.flockd.post(path, std::move(what), i.deadline());
  if (!answer) {
    const auto& why = answer.error();
    const bool no_run = why.code == error_code::conflict;
    return no_run ? error{why.code, why.what + ", whose end --on could mean; without --on it is sent at once"} : why;
  }
  if (i.out.json())
    i.out.object(*answer);
  else
    i.out.say("will be sent when run " + cell((*answer)["run"]) + " has ended" +
              (on == "always" ? "" : ", if it ends with " + on));
  return exit_code::ok;
}

bool has_ended(const value& notification) {
  const auto* name = notification["state"].as_text();
  const auto state = name ? receipt_state_from(*name) : std::nullopt;
  return !state || is_terminal(*state);
}

std::string waiting_for(const std::map<std::string, value>& open, std::size_t all) {
  constexpr std::size_t named = 3;
  std::string text = "waiting for " + std::to_string(open.size()) + " of " + std::to_string(all) + ":";
  std::size_t n = 0;
  for (const auto& [id, notification] : open) {
    if (++n > named) return text + " and " + std::to_string(open.size() - named) + " more";
    text.append(n == 1 ? " " : ", ").append(harmless(cell(notification["node"])));
  }
  return text;
}

/// Notifications that are waited for, each shown when it has ended.
class endings {
 public:
  endings(const invocation& i, value::list sent)
      : i_(i),
        rows_(i.out,
              {{"ID", "id"},
               {"NODE", "node"},
               {"RESOURCE", "resource"},
               {"ACTION", "action"},
               {"STATE", "state"},
               {"OUTCOME", "outcome"},
               {"ERROR", "error"}},
              samples(sent)) {
    for (auto& n : sent) hear(std::move(n));
    all_ = ended_.size() + open_.size();
  }

  /// \returns how they ended, or at that time as they stand
  result<value::list> wait(time_point until) && {
    while (!open_.empty()) {
      const bool in_time = i_.time.now() < until;
      auto heard = in_time ? ask(until) : result<value::list>(value::list());
      if (!heard && !comes_again(heard.error())) return heard.error();
      if (!heard) {
        i_.out.say("flockd does not answer; waiting for it");
        i_.sleep(milliseconds(1s));
        continue;
      }
      for (auto& n : *heard) hear(std::move(n));
      if (i_.time.now() >= until || !in_time) break;
    }
    for (auto& [id, n] : open_) show(std::move(n));
    return std::move(ended_);
  }

 private:
  // As wide as it gets: a state and an outcome that may come.
  static value::list samples(value::list sent) {
    sent.emplace_back(value::map{{"state", "cancelled"}, {"outcome", "up_to_date"}});
    return sent;
  }

  result<value::list> ask(time_point until) const {
    value::list ids;
    for (const auto& [id, n] : open_) ids.emplace_back(id);
    const auto left = std::chrono::ceil<milliseconds>(until - i_.time.now());
    const auto path = target({"v1", "await"}, {{"timeout", format_duration(left)}});
    const console::waiting shown(i_.out, waiting_for(open_, all_) + std::string(only_the_wait));
    auto answer = i_.flockd.post(path, value::map{{"ids", std::move(ids)}}, until + milliseconds(1s));
    if (!answer) return answer.error();
    return list_in(*std::move(answer), "notifications");
  }

  // Notifications outlive a flockd that is started again.
  static bool comes_again(const error& why) {
    return why.code == error_code::unreachable || why.code == error_code::maybe_done ||
           why.code == error_code::shutting_down || why.code == error_code::down || why.code == error_code::timeout;
  }

  void hear(value n) {
    const auto id = cell(n["id"]);
    if (has_ended(n)) {
      open_.erase(id);
      show(std::move(n));
    } else {
      open_.insert_or_assign(id, std::move(n));
    }
  }

  void show(value n) {
    rows_.add(n);
    ended_.push_back(std::move(n));
  }

  const invocation& i_;
  console::growing_rows rows_;
  std::map<std::string, value> open_;  // by id
  value::list ended_;
  std::size_t all_ = 0;
};

result<exit_code> notify_and_wait(const invocation& i, value::map what) {
  const auto patience = i.patience(longest_action);
  const auto until = i.time.now() + patience;
  const auto path = target({"v1", "notify"}, {{"wait", "queued"}, {"timeout", format_duration(patience)}});
  auto answer = i.flockd.post(path, std::move(what), i.deadline(patience));
  if (!answer) return answer.error();
  auto sent = list_in(*std::move(answer), "notifications");
  if (!sent) return sent.error();
  const auto ended = endings(i, *std::move(sent)).wait(until);
  if (!ended) return ended.error();
  return exit_code_of(*ended, until_state::completed);
}

/// Cancels or retries, and shows what came of it.
result<exit_code> change_notification(const invocation& i, const std::string& how) {
  const auto path = target({"v1", "notifications", i.operand(0), how}, {{"timeout", format_duration(i.patience())}});
  const auto changed = i.flockd.post(path, value::map(), i.deadline());
  if (!changed) return changed.error();
  i.out.rows({*changed}, notification_columns(), "");
  return exit_code::ok;
}

}  // namespace

result<exit_code> list_resources(const invocation& i) {
  auto query = i.node_operand();
  query.emplace_back("timeout", format_duration(i.patience()));
  const auto resources = i.flockd.list(target({"v1", "resources"}, query), "resources", i.deadline());
  if (!resources) return resources.error();
  i.out.rows(*resources,
             {{"RESOURCE", "resource"},
              {"NODE", "node"},
              {"STATE", "state"},
              {"ACTION", "action"},
              {"OUTCOME", "outcome"},
              {"AT", "at"},
              {"ERROR", "error"},
              {"ACTIONS", "actions"}},
             "no resources");
  return exit_code::ok;
}

result<exit_code> converge_resources(const invocation& i) {
  const value::map how{{"why_run", i.words.has("why-run")}};
  const auto run = [&] {
    const console::waiting shown(i.out, "waiting for the end of the run" + std::string(only_the_wait));
    return i.flockd.post("/v1/converge", how, i.deadline(longest_run));
  }();
  if (!run) return run.error();
  if (i.out.json())
    i.out.object(*run);
  else if (const auto* resources = (*run)["resources"].as_list())
    i.out.rows(*resources,
               {{"RESOURCE", "resource"},
                {"ACTION", "action"},
                {"OUTCOME", "outcome"},
                {"OUTPUT", "output"},
                {"ERROR", "error"}},
               "no resources");
  return (*run)["success"] == value(false) ? exit_code::some_failed : exit_code::ok;
}

result<exit_code> tell_updated(const invocation& i) {
  const value::map what{{"resource", i.operand(0)}, {"action", i.operand(1)}};
  const auto path = target({"v1", "updated"}, {{"timeout", format_duration(i.patience())}});
  return show_notifications(i, i.flockd.post(path, what, i.deadline()), until_state::any);
}

result<exit_code> notify_resource(const invocation& i) {
  auto what = location_members(i.words);
  if (!what) return what.error();
  what->emplace("resource", i.operand(0));
  what->emplace("action", i.operand(1));
  if (const auto understood = wanted_action::from_value(*what); !understood) return understood.error();
  const auto wait = i.words.one("wait").value_or("accepted");
  if (i.words.has("on")) return notify_after_run(i, *std::move(what));
  if (wait == "completed") return notify_and_wait(i, *std::move(what));
  const auto path = target({"v1", "notify"}, {{"wait", wait}, {"timeout", format_duration(i.patience())}});
  auto answer = [&] {
    const console::waiting shown(i.out, "waiting for the nodes");
    return i.flockd.post(path, *std::move(what), i.deadline());
  }();
  return show_notifications(i, std::move(answer), until_state::accepted);
}

result<exit_code> list_notifications(const invocation& i) {
  parameters query;
  for (const char* name : {"state", "node"})
    for (auto& text : i.words.all(name)) query.emplace_back(name, std::move(text));
  const auto notifications = i.flockd.list(target({"v1", "notifications"}, query), "notifications", i.deadline());
  if (!notifications) return notifications.error();
  i.out.rows(*notifications, notification_columns(), "no notifications");
  return exit_code::ok;
}

result<exit_code> show_notification(const invocation& i) {
  const auto notification = i.flockd.get(target({"v1", "notifications", i.operand(0)}), i.deadline());
  if (!notification) return notification.error();
  i.out.object(*notification, notification_details(*notification));
  return exit_code::ok;
}

result<exit_code> cancel_notification(const invocation& i) { return change_notification(i, "cancel"); }
result<exit_code> retry_notification(const invocation& i) { return change_notification(i, "retry"); }

}  // namespace flock::ctl
