#include "tools/flockctl/command.hpp"
#include "tools/flockctl/location_options.hpp"

#include <chrono>
#include <utility>

namespace flock::ctl {
namespace {

using namespace std::chrono_literals;

// A run, and the actions of others, take what they take; but no wait is endless.
constexpr milliseconds longest_run = 1h;
constexpr milliseconds longest_action = 5min;

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
  i.out.rows(*notifications, notification_columns());
  return exit_code_of(*notifications, waited_for);
}

}  // namespace

result<exit_code> list_resources(const invocation& i) {
  auto query = i.node_operand();
  query.emplace_back("timeout", format_duration(i.patience()));
  const auto resources = i.flockd.list(target({"v1", "resources"}, query), "resources", i.deadline());
  if (!resources) return resources.error();
  i.out.rows(*resources, {{"RESOURCE", "resource"},
                          {"NODE", "node"},
                          {"STATE", "state"},
                          {"ACTION", "action"},
                          {"OUTCOME", "outcome"},
                          {"AT", "at"},
                          {"ERROR", "error"},
                          {"ACTIONS", "actions"}});
  return exit_code::ok;
}

result<exit_code> converge_resources(const invocation& i) {
  const value::map how{{"why_run", i.words.has("why-run")}};
  const auto run = [&] {
    const console::waiting shown(i.out, "waiting for the end of the run");
    return i.flockd.post("/v1/converge", how, i.deadline(longest_run));
  }();
  if (!run) return run.error();
  if (i.out.json())
    i.out.object(*run);
  else if (const auto* resources = (*run)["resources"].as_list())
    i.out.rows(*resources, {{"RESOURCE", "resource"},
                            {"ACTION", "action"},
                            {"OUTCOME", "outcome"},
                            {"OUTPUT", "output"},
                            {"ERROR", "error"}});
  return (*run)["success"] == value(false) ? exit_code::some_failed : exit_code::ok;
}

result<exit_code> tell_updated(const invocation& i) {
  const value::map what{{"resource", i.operand(0)}, {"action", i.operand(1)}};
  return show_notifications(i, i.flockd.post("/v1/updated", what, i.deadline()), until_state::any);
}

result<exit_code> notify_resource(const invocation& i) {
  auto what = location_members(i.words);
  if (!what) return what.error();
  what->emplace("resource", i.operand(0));
  what->emplace("action", i.operand(1));
  if (auto on = i.words.one("on")) what->emplace("on", *std::move(on));
  const auto wait = i.words.one("wait").value_or("accepted");
  const bool completed = wait == "completed";
  const auto patience = i.patience(completed ? longest_action : milliseconds(5s));
  const auto path = target({"v1", "notify"}, {{"wait", wait}, {"timeout", format_duration(patience)}});
  auto answer = [&] {
    const console::waiting shown(i.out, completed ? "waiting for the actions to end" : "waiting for the nodes");
    return i.flockd.post(path, *std::move(what), i.deadline(patience));
  }();
  return show_notifications(i, std::move(answer), completed ? until_state::completed : until_state::accepted);
}

result<exit_code> list_notifications(const invocation& i) {
  parameters query;
  for (const char* name : {"state", "node"})
    for (auto& text : i.words.all(name)) query.emplace_back(name, std::move(text));
  const auto notifications = i.flockd.list(target({"v1", "notifications"}, query), "notifications", i.deadline());
  if (!notifications) return notifications.error();
  i.out.rows(*notifications, notification_columns());
  return exit_code::ok;
}

result<exit_code> show_notification(const invocation& i) {
  const auto notification = i.flockd.get(target({"v1", "notifications", i.operand(0)}), i.deadline());
  if (!notification) return notification.error();
  i.out.object(*notification, {"id", "node", "resource", "action", "state"});
  return exit_code::ok;
}

}  // namespace flock::ctl
