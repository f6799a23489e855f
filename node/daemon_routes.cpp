#include "node/daemon_routes.hpp"

#include "node/control/control_exchange.hpp"
#include "node/daemon.hpp"

#include <utility>

namespace flock {
namespace {

result<void> show_status(control_exchange& x, daemon& d) {
  d.status(x.answer());
  return {};
}

result<void> list_resources(control_exchange& x, daemon& d) {
  const auto until = x.deadline();
  if (!until) return until.error();
  auto of = x.node();
  if (!of) return of.error();
  d.resources(*std::move(of), *until, x.answer());
  return {};
}

result<void> tell_updated(control_exchange& x, daemon& d) {
  const auto until = x.deadline();
  if (!until) return until.error();
  const auto body = x.body();
  if (!body) return body.error();
  const auto name = text_member(*body, "resource");
  if (!name) return name.error();
  const auto resource = resource_name::parse(*name);
  if (!resource) return resource.error();
  auto action = text_member(*body, "action");
  if (!action) return action.error();
  d.updated(*resource, *std::move(action), *until, x.answer());
  return {};
}

result<void> converge(control_exchange& x, daemon& d) {
  bool why_run = false;
  if (!x.request.body.empty()) {
    const auto body = x.body();
    if (!body) return body.error();
    const auto& member = (*body)["why_run"];
    if (!member.is_null() && !member.as_bool()) return bad_request("the body: why_run is true or false");
    why_run = member.as_bool() && *member.as_bool();
  }
  d.converge(why_run, x.answer());
  return {};
}

result<void> reload(control_exchange& x, daemon& d) {
  d.reload(x.answer());
  return {};
}

result<void> show_metrics(control_exchange& x, daemon& d) {
  d.metrics([done = x.done](std::string text) {
    // Source: Prometheus' exposition formats
    done({.content_type = "text/plain; version=0.0.4; charset=utf-8", .body = std::move(text)});
  });
  return {};
}

control_topic<daemon> routes() {
  using schema::flag, schema::integer, schema::list, schema::named, schema::object, schema::text;
  return {
      {{.method = "GET",
        .path = "/v1/status",
        .id = "show_status",
        .summary = "This node",
        .answer = {.words = "The node", .schema = named("status")}},
       show_status},
      {{.method = "GET",
        .path = "/v1/resources",
        .id = "list_resources",
        .summary = "The resources of a node with their last state, by default of this one",
        .parameters = {{"node", text(), "A node id"}, timeout_parameter()},
        .answer = {.words = "Resources, in file order", .schema = list(named("resource")), .member = "resources"},
        .errors = {error_code::not_found, error_code::unreachable, error_code::timeout, error_code::maybe_done}},
       list_resources},
      {{.method = "POST",
        .path = "/v1/updated",
        .id = "tell_updated",
        .summary = "Says that a resource of this node was updated by an action; fires its notifications",
        .parameters = {timeout_parameter()},
        .body = {.schema = object({{"resource", text("file[/tmp/fubar]")}, {"action", text("create")}},
                                  {"resource", "action"})},
        .answer = notifications_answer("What it set off")},
       tell_updated},
      {{.method = "POST",
        .path = "/v1/converge",
        .id = "converge",
        .summary = "One run of this node's own resources; answers when it has ended",
        .body = {.schema = object({{"why_run", flag(false)}}), .required = false},
        .answer = {.words = "How it ended", .schema = named("run")},
        .errors = {error_code::conflict}},
       converge},
      {{.method = "POST",
        .path = "/v1/reload",
        .id = "reload",
        .summary = "Reads resource files, policy, attributes and certificates again",
        .answer = {.words = "How many resources are declared now", .schema = object({{"resources", integer()}})},
        .errors = {error_code::io}},
       reload},
      {{.method = "GET",
        .path = "/metrics",
        .id = "show_metrics",
        .summary = "Metrics of this node",
        .answer = {.words = "Prometheus text", .schema = text(), .type = "text/plain"}},
       show_metrics},
  };
}

}  // namespace

const control_topic<daemon>& daemon_routes() {
  static const auto all = routes();
  return all;
}

}  // namespace flock
