#include "node/control/control_routes.hpp"

#include "node/control/control_openapi.hpp"
#include <flock/value_cast.hpp>

#include <memory>
#include <utility>

namespace flock {
namespace {

result<void> get_status(control_exchange& x) {
  x.backend.status(x.object());
  return {};
}

result<void> get_nodes(control_exchange& x) {
  const auto until = x.deadline();
  if (!until) return until.error();
  auto of = x.where();
  if (!of) return of.error();
  x.backend.nodes(*std::move(of), *until, x.named("nodes"));
  return {};
}

result<void> get_node(control_exchange& x) {
  const auto until = x.deadline();
  if (!until) return until.error();
  const auto id = node_id::parse(x.names[0]);
  if (!id) return id.error();
  x.backend.node(*id, *until, x.object());
  return {};
}

result<void> get_ping(control_exchange& x) {
  const auto until = x.deadline();
  if (!until) return until.error();
  const auto id = node_id::parse(x.names[0]);
  if (!id) return id.error();
  x.backend.ping(*id, *until, x.object());
  return {};
}

// What one node has, this one if none is named.
using list_of_node = void (control_backend::*)(std::optional<node_id>, time_point, control_backend::answer);

result<void> get_list(control_exchange& x, list_of_node list, std::string_view name) {
  const auto until = x.deadline();
  if (!until) return until.error();
  auto of = x.node();
  if (!of) return of.error();
  (x.backend.*list)(*std::move(of), *until, x.named(name));
  return {};
}

result<void> get_actors(control_exchange& x) { return get_list(x, &control_backend::actors, "actors"); }
result<void> get_resources(control_exchange& x) { return get_list(x, &control_backend::resources, "resources"); }
result<void> get_subscriptions(control_exchange& x) {
  return get_list(x, &control_backend::subscriptions, "subscriptions");
}

result<void> post_call(control_exchange& x) {
  const auto until = x.deadline();
  if (!until) return until.error();
  auto node = node_id::parse(x.names[0]);
  if (!node) return node.error();
  auto actor = actor_name::parse(x.names[1]);
  if (!actor) return actor.error();
  value arguments = value::list{};
  if (!x.request.body.empty()) {
    auto read = from_json(x.request.body);
    if (!read) return read.error().within("the body");
    arguments = *std::move(read);
  }
  if (!arguments.as_list()) return bad_request("the body is no list of arguments");
  x.backend.call({*std::move(node), *std::move(actor)}, x.names[2], std::move(*arguments.as_list()), *until,
                 x.named("result"));
  return {};
}

std::optional<control_backend::wait_for> wait_for_from(std::string_view name) {
  using wait_for = control_backend::wait_for;
  if (name == "queued") return wait_for::queued;
  if (name == "accepted") return wait_for::accepted;
  if (name == "completed") return wait_for::completed;
  return std::nullopt;
}

result<void> post_notify(control_exchange& x) {
  const auto until = x.deadline();
  if (!until) return until.error();
  const auto wait = x.parameters.one("wait");
  if (!wait) return wait.error();
  const auto state = wait_for_from(wait->value_or("accepted"));
  if (!state) return bad_request("wait is queued, accepted or completed, not " + wait->value_or(""));
  auto run = x.parameters.one("run");
  if (!run) return run.error();
  auto read = from_json(x.request.body);
  if (!read) return read.error().within("the body");
  auto what = wanted_action::from_value(*read);
  if (!what) return what.error().within("the body");
  if (what->when == timing::delayed)
    x.backend.delay(*std::move(what), *std::move(run), x.object());
  else if (*run)
    return bad_request("run: only what is delayed waits for the end of a run");
  else
    x.backend.notify(*std::move(what), *state, *until, x.named("notifications"));
  return {};
}

result<void> post_updated(control_exchange& x) {
  const auto until = x.deadline();
  if (!until) return until.error();
  const auto body = x.body({"resource", "action"});
  if (!body) return body.error();
  const auto name = text_member(*body, "resource");
  if (!name) return name.error();
  const auto resource = resource_name::parse(*name);
  if (!resource) return resource.error();
  auto action = text_member(*body, "action");
  if (!action) return action.error();
  x.backend.updated(*resource, *std::move(action), *until, x.named("notifications"));
  return {};
}

result<void> post_converge(control_exchange& x) {
  bool why_run = false;
  if (!x.request.body.empty()) {
    const auto body = x.body({"why_run"});
    if (!body) return body.error();
    const auto& member = (*body)["why_run"];
    if (!member.is_null() && !member.as_bool()) return bad_request("the body: why_run is true or false");
    why_run = member.as_bool() && *member.as_bool();
  }
  x.backend.converge(why_run, x.object());
  return {};
}

std::string states_of_notifications() {
  std::string all;
  for (auto s = 1; s <= static_cast<int>(last_receipt_state); ++s)
    all.append(all.empty() ? "" : "|").append(to_string(static_cast<receipt_state>(s)));
  return all;
}

result<void> get_notifications(control_exchange& x) {
  auto of = x.node();
  if (!of) return of.error();
  const auto text = x.parameters.one("state");
  if (!text) return text.error();
  const auto state = *text ? receipt_state_from(**text) : std::nullopt;
  if (*text && !state) return bad_request("state is one of " + states_of_notifications() + ", not " + **text);
  x.backend.notifications(state, *std::move(of), x.named("notifications"));
  return {};
}

result<void> get_notification(control_exchange& x) {
  x.backend.notification(x.names[0], x.object());
  return {};
}

// Chef runs.

std::string run_message(const value& told) { return "data: " + to_json(told) + "\n\n"; }

// The reply goes on for as long as the run does: it tells of the notifications for it.
result<void> post_runs(control_exchange& x) {
  auto about = x.body({"attributes", "environment", "pid", "recipes", "roles", "tags", "why_run"});
  if (!about) return about.error();
  auto stream = std::make_shared<event_stream>();
  // Taken out when it is called, as for events.
  auto first = [stream, done = x.done, path = x.path](const result<value>& begun) mutable {
    auto notifications = std::exchange(stream, nullptr);
    if (!begun) return done(control_failure(begun.error(), path));
    done({.content_type = "text/event-stream", .body = run_message(*begun), .events = std::move(notifications)});
  };
  auto next = [followed = std::weak_ptr(stream)](const value& told) {
    if (const auto still = followed.lock()) still->push(run_message(told));
  };
  stream->keep(x.backend.begin_run(*std::move(about), std::move(first), std::move(next)));
  return {};
}

result<void> tell_run(control_exchange& x, control_backend::run_word word,
                      const std::vector<std::string_view>& members) {
  auto body = x.body(members);
  if (!body) return body.error();
  x.backend.tell_run(x.names[0], word, *std::move(body), x.object());
  return {};
}

using run_word = control_backend::run_word;

result<void> post_run_end(control_exchange& x) { return tell_run(x, run_word::end, {"error", "success"}); }
result<void> post_run_notify(control_exchange& x) {
  return tell_run(
      x, run_word::notify,
      {"action", "any", "by", "environment", "node", "notification", "query", "recipes", "resource", "roles"});
}
result<void> post_run_performed(control_exchange& x) {
  return tell_run(x, run_word::performed, {"error", "notification", "outcome"});
}
result<void> post_run_resources(control_exchange& x) {
  return tell_run(x, run_word::resources, {"add", "resources", "subscribes"});
}
result<void> post_run_updated(control_exchange& x) {
  return tell_run(x, run_word::updated, {"action", "error", "notification", "outcome", "resources"});
}

// What is done to one notification, by its deadline.
using change_of_notification = void (control_backend::*)(const std::string&, time_point, control_backend::answer);

result<void> change(control_exchange& x, change_of_notification how) {
  const auto until = x.deadline();
  if (!until) return until.error();
  (x.backend.*how)(x.names[0], *until, x.object());
  return {};
}

result<void> post_cancel(control_exchange& x) { return change(x, &control_backend::cancel); }
result<void> post_retry(control_exchange& x) { return change(x, &control_backend::retry); }

result<void> post_await(control_exchange& x) {
  const auto until = x.deadline();
  if (!until) return until.error();
  const auto body = x.body({"ids"});
  if (!body) return body.error();
  auto ids = from_value<std::vector<std::string>>((*body)["ids"]);
  if (!ids) return ids.error().within("the body: ids");
  if (ids->empty()) return bad_request("the body: ids are none");
  x.backend.await(*std::move(ids), *until, x.named("notifications"));
  return {};
}

result<void> post_reload(control_exchange& x) {
  x.backend.reload(x.object());
  return {};
}

result<void> get_metrics(control_exchange& x) {
  x.backend.metrics([done = x.done](std::string text) {
    // Source: Prometheus' exposition formats
    done({.content_type = "text/plain; version=0.0.4; charset=utf-8", .body = std::move(text)});
  });
  return {};
}

control_response first_events(const event_log::page& page) {
  control_response response{.content_type = "text/event-stream"};
  if (page.gap) response.body = "event: gap\ndata: {\"type\":\"gap\"}\n\n";
  for (const auto& e : page.events) response.body += to_server_sent_event(e);
  return response;
}

result<void> get_events(control_exchange& x) {
  const auto follow = x.flag("follow", true);
  if (!follow) return follow.error();
  auto since = x.parameters.one("since");
  if (!since) return since.error();
  // A client that comes again sends both, and the target of its first request.
  if (!x.request.last_event_id.empty()) *since = x.request.last_event_id;

  auto stream = std::make_shared<event_stream>();
  // Taken out when it is called: the stream owns the backend's handle, which may own this function.
  auto first = [stream, follow = *follow, done = x.done, path = x.path](const result<event_log::page>& page) mutable {
    auto events = std::exchange(stream, nullptr);
    if (!page) return done(control_failure(page.error(), path));
    auto response = first_events(*page);
    if (follow) response.events = std::move(events);
    done(std::move(response));
  };
  auto next = [followed = std::weak_ptr(stream)](const event& e) {
    if (const auto still = followed.lock()) still->push(e);
  };
  stream->keep(x.backend.follow_events(*std::move(since), std::move(first), std::move(next)));
  return {};
}

result<void> get_openapi(control_exchange& x) {
  x.done({.body = std::string(control_openapi)});
  return {};
}

}  // namespace

const std::vector<control_handler>& control_handlers() {
  static const std::vector<control_handler> all = {
      {{"GET", "/metrics", {}}, get_metrics},
      {{"GET", "/v1/actors", {"node", "timeout"}}, get_actors},
      {{"POST", "/v1/await", {"timeout"}}, post_await},
      {{"POST", "/v1/call/{node}/{actor}/{method}", {"timeout"}}, post_call},
      {{"POST", "/v1/converge", {}}, post_converge},
      {{"GET", "/v1/events", {"follow", "since"}}, get_events},
      {{"GET", "/v1/nodes", {"any", "environment", "node", "query", "recipe", "role", "timeout"}}, get_nodes},
      {{"GET", "/v1/nodes/{id}", {"timeout"}}, get_node},
      {{"GET", "/v1/notifications", {"node", "state"}}, get_notifications},
      {{"GET", "/v1/notifications/{id}", {}}, get_notification},
      {{"POST", "/v1/notifications/{id}/cancel", {"timeout"}}, post_cancel},
      {{"POST", "/v1/notifications/{id}/retry", {"timeout"}}, post_retry},
      {{"POST", "/v1/notify", {"run", "timeout", "wait"}}, post_notify},
      {{"GET", "/v1/openapi.json", {}}, get_openapi},
      {{"GET", "/v1/ping/{node}", {"timeout"}}, get_ping},
      {{"POST", "/v1/reload", {}}, post_reload},
      {{"GET", "/v1/resources", {"node", "timeout"}}, get_resources},
      {{"POST", "/v1/runs", {}}, post_runs},
      {{"POST", "/v1/runs/{run}/end", {}}, post_run_end},
      {{"POST", "/v1/runs/{run}/notify", {}}, post_run_notify},
      {{"POST", "/v1/runs/{run}/performed", {}}, post_run_performed},
      {{"POST", "/v1/runs/{run}/resources", {}}, post_run_resources},
      {{"POST", "/v1/runs/{run}/updated", {}}, post_run_updated},
      {{"GET", "/v1/status", {}}, get_status},
      {{"GET", "/v1/subscriptions", {"node", "timeout"}}, get_subscriptions},
      {{"POST", "/v1/updated", {"timeout"}}, post_updated},
  };
  return all;
}

}  // namespace flock
