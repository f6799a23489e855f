#include "node/control/call_routes.hpp"

#include "node/control/control_exchange.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

namespace flock {
namespace {

result<value::list> arguments_of(const control_exchange& x) {
  if (x.request.body.empty()) return value::list();
  auto read = from_json(x.request.body);
  if (!read) return read.error().within("the body");
  if (!read->as_list()) return bad_request("the body is no list of arguments");
  return std::move(*read->as_list());
}

bool yields_many(const node_core& core, const address& where, const std::string& method) {
  if (where.node != core.id()) return false;  // whose own answer to a call says so
  const auto actor = core.actors().find(where.actor);
  return actor && std::any_of(actor->methods.begin(), actor->methods.end(),
                              [&](const method_info& m) { return m.name == method && m.streams; });
}

std::string end_message(const result<void>& how) {
  value::map told;
  if (!how) told = {{"error", value::map{{"code", to_string(how.error().code)}, {"message", how.error().what}}}};
  return "event: end\ndata: " + to_json(told) + "\n\n";
}

/// Server-sent events, one for each value.
stream_responder followed(const control_exchange& x) {
  return [done = x.done, path = x.path](const result<value_stream>& opened) {
    if (!opened) return done(control_failure(opened.error(), path));
    auto out = std::make_shared<event_stream>();
    auto next = [to = std::weak_ptr(out)](const value& v) {
      if (const auto still = to.lock()) still->push("data: " + to_json(v) + "\n\n");
    };
    auto ended = [to = std::weak_ptr(out)](const result<void>& how) {
      if (const auto still = to.lock()) still->finish(end_message(how));
    };
    out->keep(opened->follow(std::move(next), std::move(ended)));
    done({.content_type = "text/event-stream", .events = std::move(out)});
  };
}

result<void> call_method(control_exchange& x, node_core& core) {
  const auto until = x.deadline();
  if (!until) return until.error();
  auto node = node_id::parse(x.names[0]);
  if (!node) return node.error();
  auto actor = actor_name::parse(x.names[1]);
  if (!actor) return actor.error();
  auto arguments = arguments_of(x);
  if (!arguments) return arguments.error();
  const address where{*std::move(node), *std::move(actor)};
  const auto& method = x.names[2];
  if (yields_many(core, where, method))
    core.follow(where.actor, method, *std::move(arguments), *until, followed(x));
  else
    core.ask(where, method, *std::move(arguments), *until, x.answer());
  return {};
}

}  // namespace

const control_topic<node_core>& call_routes() {
  static const control_topic<node_core> all = {
      {{.method = "POST",
        .path = "/v1/call/{node}/{actor}/{method}",
        .id = "call_method",
        .summary = "Calls a method of an actor, or follows one of this node that yields many values",
        .parameters = {timeout_parameter()},
        .body = {.schema = schema::list(), .required = false, .words = "The arguments; none without a body"},
        .answer = {.words =
                       "What the method returned. One that yields many values is answered with text/event-stream: a "
                       "message for each value, and one of the type end.",
                   .schema = value::map{},
                   .member = "result"},
        .errors = {error_code::not_found, error_code::no_such_method, error_code::refused, error_code::unreachable,
                   error_code::timeout, error_code::maybe_done, error_code::down}},
       call_method},
  };
  return all;
}

}  // namespace flock
