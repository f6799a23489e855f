#include "node/control_api.hpp"

#include "node/control_openapi.hpp"
#include "node/request_target.hpp"
#include <flock/value_cast.hpp>

#include <algorithm>
#include <exception>
#include <iterator>
#include <utility>

namespace flock {
namespace {

error wrong(std::string what) { return {error_code::bad_argument, std::move(what)}; }

// What a route has to answer with.
struct exchange {
  const control_request& request;
  control_backend& backend;
  const clock& now;
  std::vector<std::string> names;  // what stands for the {names} in the path
  query_parameters parameters;
  std::function<void(control_response)> done;
  std::string path;

  result<time_point> deadline() const {
    const auto text = parameters.one("timeout");
    if (!text) return text.error();
    if (!*text) return now.now() + control_limits::default_timeout;
    const auto timeout = parse_duration(**text);
    if (!timeout) return timeout.error().within("timeout");
    if (*timeout > control_limits::longest_timeout) return wrong("timeout: longer than 1h: " + **text);
    return now.now() + *timeout;
  }

  result<std::optional<node_id>> node() const {
    const auto text = parameters.one("node");
    if (!text) return text.error();
    if (!*text) return std::optional<node_id>();
    const auto id = node_id::parse(**text);
    if (!id) return id.error().within("node");
    return std::optional(*id);
  }

  result<bool> flag(std::string_view name, bool otherwise) const {
    const auto text = parameters.one(name);
    if (!text) return text.error();
    if (!*text) return otherwise;
    if (**text != "true" && **text != "false") return wrong(std::string(name) + " is true or false, not " + **text);
    return **text == "true";
  }

  // The body, an object of these members only.
  result<value> body(const std::vector<std::string_view>& members) const {
    auto read = from_json(request.body);
    if (!read) return read.error().within("the body");
    if (!read->as_map()) return wrong("the body is no object");
    for (const auto& [name, member] : *read->as_map())
      if (std::find(members.begin(), members.end(), name) == members.end())
        return wrong("the body: unknown member: " + name);
    return read;
  }

  // Answers with an object as it is.
  control_backend::answer object() const {
    return [done = done, path = path](result<value> answered) {
      if (!answered) return done(control_failure(http_status(answered.error().code), answered.error(), path));
      done({.body = to_json(*answered) + "\n"});
    };
  }

  // Answers with {name: ...}.
  control_backend::answer named(std::string_view name) const {
    return [finish = object(), name](result<value> answered) {
      if (!answered) return finish(std::move(answered));
      value::map whole;
      whole.emplace(name, *std::move(answered));
      finish(value(std::move(whole)));
    };
  }
};

result<std::string> text_member(const value& object, std::string_view name) {
  const auto* text = object[name].as_text();
  if (!text) return wrong("the body: " + std::string(name) + (object[name].is_null() ? " is missing" : " is no text"));
  return *text;
}

// The routes. Each returns an error if the request is wrong, before it has asked for anything.

result<void> get_status(exchange& x) {
  x.backend.status(x.object());
  return {};
}

result<std::optional<location>> where(const exchange& x) {
  value::map members;
  for (const char* name : {"node", "role", "recipe"})
    if (auto texts = x.parameters.all(name); !texts.empty()) members[name] = std::move(texts);
  for (const char* name : {"environment", "query"}) {
    auto text = x.parameters.one(name);
    if (!text) return text.error();
    if (*text) members[name] = **std::move(text);
  }
  const auto any = x.flag("any", false);
  if (!any) return any.error();
  if (*any) members["any"] = true;
  if (members.empty()) return std::optional<location>();
  auto read = location::from_value(members);
  if (!read) return read.error();
  return std::optional(*std::move(read));
}

result<void> get_nodes(exchange& x) {
  const auto until = x.deadline();
  if (!until) return until.error();
  auto of = where(x);
  if (!of) return of.error();
  x.backend.nodes(*std::move(of), *until, x.named("nodes"));
  return {};
}

result<void> get_node(exchange& x) {
  const auto until = x.deadline();
  if (!until) return until.error();
  const auto id = node_id::parse(x.names[0]);
  if (!id) return id.error();
  x.backend.node(*id, *until, x.object());
  return {};
}

result<void> get_ping(exchange& x) {
  const auto until = x.deadline();
  if (!until) return until.error();
  const auto id = node_id::parse(x.names[0]);
  if (!id) return id.error();
  x.backend.ping(*id, *until, x.object());
  return {};
}

// What one node has, this one if none is named.
using list_of_node = void (control_backend::*)(std::optional<node_id>, time_point, control_backend::answer);

result<void> get_list(exchange& x, list_of_node list, std::string_view name) {
  const auto until = x.deadline();
  if (!until) return until.error();
  auto of = x.node();
  if (!of) return of.error();
  (x.backend.*list)(*std::move(of), *until, x.named(name));
  return {};
}

result<void> get_actors(exchange& x) { return get_list(x, &control_backend::actors, "actors"); }
result<void> get_resources(exchange& x) { return get_list(x, &control_backend::resources, "resources"); }
result<void> get_subscriptions(exchange& x) { return get_list(x, &control_backend::subscriptions, "subscriptions"); }

result<void> post_call(exchange& x) {
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
  if (!arguments.as_list()) return wrong("the body is no list of arguments");
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

result<void> post_notify(exchange& x) {
  const auto until = x.deadline();
  if (!until) return until.error();
  const auto wait = x.parameters.one("wait");
  if (!wait) return wait.error();
  const auto state = wait_for_from(wait->value_or("accepted"));
  if (!state) return wrong("wait is queued, accepted or completed, not " + wait->value_or(""));
  auto run = x.parameters.one("run");
  if (!run) return run.error();
  auto read = from_json(x.request.body);
  if (!read) return read.error().within("the body");
  auto what = wanted_action::from_value(*read);
  if (!what) return what.error().within("the body");
  if (what->when == timing::delayed)
    x.backend.delay(*std::move(what), *std::move(run), x.object());
  else if (*run)
    return wrong("run: only what is delayed waits for the end of a run");
  else
    x.backend.notify(*std::move(what), *state, *until, x.named("notifications"));
  return {};
}

result<void> post_updated(exchange& x) {
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

result<void> post_converge(exchange& x) {
  bool why_run = false;
  if (!x.request.body.empty()) {
    const auto body = x.body({"why_run"});
    if (!body) return body.error();
    const auto& member = (*body)["why_run"];
    if (!member.is_null() && !member.as_bool()) return wrong("the body: why_run is true or false");
    why_run = member.as_bool() && *member.as_bool();
  }
  x.backend.converge(why_run, x.object());
  return {};
}

result<void> get_notifications(exchange& x) {
  auto of = x.node();
  if (!of) return of.error();
  const auto text = x.parameters.one("state");
  if (!text) return text.error();
  const auto state = *text ? receipt_state_from(**text) : std::nullopt;
  if (*text && !state) return wrong("no state of a notification: " + **text);
  x.backend.notifications(state, *std::move(of), x.named("notifications"));
  return {};
}

result<void> get_notification(exchange& x) {
  x.backend.notification(x.names[0], x.object());
  return {};
}

// Chef runs.

std::string run_message(const value& told) { return "data: " + to_json(told) + "\n\n"; }

// The reply goes on for as long as the run does: it tells of the notifications for it.
result<void> post_runs(exchange& x) {
  auto about = x.body({"attributes", "environment", "pid", "recipes", "roles", "tags", "why_run"});
  if (!about) return about.error();
  auto stream = std::make_shared<event_stream>();
  // Taken out when it is called, as for events.
  auto first = [stream, done = x.done, path = x.path](const result<value>& begun) mutable {
    auto notifications = std::exchange(stream, nullptr);
    if (!begun) return done(control_failure(http_status(begun.error().code), begun.error(), path));
    done({.content_type = "text/event-stream", .body = run_message(*begun), .events = std::move(notifications)});
  };
  auto next = [followed = std::weak_ptr(stream)](const value& told) {
    if (const auto still = followed.lock()) still->push(run_message(told));
  };
  stream->keep(x.backend.begin_run(*std::move(about), std::move(first), std::move(next)));
  return {};
}

result<void> tell_run(exchange& x, control_backend::run_word word, const std::vector<std::string_view>& members) {
  auto body = x.body(members);
  if (!body) return body.error();
  x.backend.tell_run(x.names[0], word, *std::move(body), x.object());
  return {};
}

using run_word = control_backend::run_word;

result<void> post_run_end(exchange& x) { return tell_run(x, run_word::end, {"error", "success"}); }
result<void> post_run_notify(exchange& x) {
  return tell_run(
      x, run_word::notify,
      {"action", "any", "by", "environment", "node", "notification", "query", "recipes", "resource", "roles"});
}
result<void> post_run_performed(exchange& x) {
  return tell_run(x, run_word::performed, {"error", "notification", "outcome"});
}
result<void> post_run_resources(exchange& x) {
  return tell_run(x, run_word::resources, {"add", "resources", "subscribes"});
}
result<void> post_run_updated(exchange& x) {
  return tell_run(x, run_word::updated, {"action", "error", "notification", "outcome", "resources"});
}

// What is done to one notification, by its deadline.
using change_of_notification = void (control_backend::*)(const std::string&, time_point, control_backend::answer);

result<void> change(exchange& x, change_of_notification how) {
  const auto until = x.deadline();
  if (!until) return until.error();
  (x.backend.*how)(x.names[0], *until, x.object());
  return {};
}

result<void> post_cancel(exchange& x) { return change(x, &control_backend::cancel); }
result<void> post_retry(exchange& x) { return change(x, &control_backend::retry); }

result<void> post_await(exchange& x) {
  const auto until = x.deadline();
  if (!until) return until.error();
  const auto body = x.body({"ids"});
  if (!body) return body.error();
  auto ids = from_value<std::vector<std::string>>((*body)["ids"]);
  if (!ids) return ids.error().within("the body: ids");
  if (ids->empty()) return wrong("the body: ids are none");
  x.backend.await(*std::move(ids), *until, x.named("notifications"));
  return {};
}

result<void> post_reload(exchange& x) {
  x.backend.reload(x.object());
  return {};
}

result<void> get_metrics(exchange& x) {
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

result<void> get_events(exchange& x) {
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
    if (!page) return done(control_failure(http_status(page.error().code), page.error(), path));
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

result<void> get_openapi(exchange& x) {
  x.done({.body = std::string(control_openapi)});
  return {};
}

struct route {
  control_route is;
  result<void> (*answer)(exchange&);
};

const std::vector<route>& routes() {
  static const std::vector<route> all = {
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

// \returns what stands for the {names}, or nothing if the path is another one
std::optional<std::vector<std::string>> match(std::string_view pattern, const std::vector<std::string>& path) {
  std::vector<std::string> names;
  for (const auto& element : path) {
    if (pattern.empty()) return std::nullopt;
    pattern.remove_prefix(1);
    const auto expected = pattern.substr(0, pattern.find('/'));
    if (expected.substr(0, 1) == "{" && !element.empty())
      names.push_back(element);
    else if (expected != element)
      return std::nullopt;
    pattern.remove_prefix(expected.size());
  }
  if (!pattern.empty()) return std::nullopt;
  return names;
}

control_response no_such_route(const control_request& request, const std::vector<const route*>& same_path,
                               const std::string& path) {
  if (same_path.empty()) return control_failure(404, {error_code::not_found, "no such path: " + path}, path);
  std::string allow;
  for (const auto* other : same_path) allow.append(allow.empty() ? "" : ", ").append(other->is.method);
  auto response = control_failure(405, wrong(request.method + " is not possible on " + path + ", only " + allow), path);
  response.allow = std::move(allow);
  return response;
}

result<void> try_handle(exchange& x, std::string_view query) {
  if (x.request.body.size() > control_limits::body) {
    x.done(control_failure(413, wrong("a body of more than 1 MiB"), x.path));
    return {};
  }
  if (x.path.empty() || x.path.front() != '/') return wrong("no path: \"" + x.path + "\"");
  const auto path = split_path(x.path);
  if (!path) return path.error();
  std::vector<const route*> same_path;
  for (const auto& r : routes()) {
    auto names = match(r.is.path, *path);
    if (!names) continue;
    same_path.push_back(&r);
    if (r.is.method != x.request.method) continue;
    auto parameters = query_parameters::parse(query);
    if (!parameters) return parameters.error();
    if (auto known = parameters->only(r.is.parameters); !known) return known.error();
    x.names = *std::move(names);
    x.parameters = *std::move(parameters);
    return r.answer(x);
  }
  x.done(no_such_route(x.request, same_path, x.path));
  return {};
}

}  // namespace

void handle(const control_request& request, control_backend& backend, const clock& now,
            const std::function<void(control_response)>& done) {
  const auto question = std::min(request.target.find('?'), request.target.size());
  const auto query = std::string_view(request.target).substr(std::min(question + 1, request.target.size()));
  exchange x{request, backend, now, {}, {}, done, request.target.substr(0, question)};
  try {
    if (auto asked = try_handle(x, query); !asked)
      done(control_failure(http_status(asked.error().code), asked.error(), x.path));
  } catch (const std::exception& failed) {
    done(control_failure(500, {error_code::io, std::string("internal error: ") + failed.what()}, x.path));
  }
}

control_response control_failure(int status, const error& why, std::string_view target) {
  const value::map details{{"code", to_string(why.code)}, {"message", why.what}, {"target", target}};
  return {.status = status, .body = to_json(value::map{{"error", details}}) + "\n"};
}

int http_status(error_code code) {
  switch (code) {
    case error_code::not_found:
      return 404;
    case error_code::bad_argument:
      return 400;
    case error_code::no_such_method:
      return 404;
    case error_code::refused:
      return 403;
    case error_code::conflict:
      return 409;
    case error_code::not_owner:
      return 409;
    case error_code::timeout:
      return 504;
    case error_code::unreachable:
      return 502;
    case error_code::maybe_done:
      return 504;
    case error_code::down:
      return 502;
    case error_code::session_lost:
      return 503;
    case error_code::shutting_down:
      return 503;
    case error_code::io:
      return 500;
    case error_code::protocol:
      return 502;
  }
  return 500;
}

std::vector<control_route> control_routes() {
  std::vector<control_route> all;
  std::transform(routes().begin(), routes().end(), std::back_inserter(all), [](const route& r) { return r.is; });
  return all;
}

}  // namespace flock
