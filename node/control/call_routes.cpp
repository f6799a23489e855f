#include "node/control/call_routes.hpp"

#include "node/control/control_exchange.hpp"

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

result<void> call_method(control_exchange& x, node_core& core) {
  const auto until = x.deadline();
  if (!until) return until.error();
  auto node = node_id::parse(x.names[0]);
  if (!node) return node.error();
  auto actor = actor_name::parse(x.names[1]);
  if (!actor) return actor.error();
  auto arguments = arguments_of(x);
  if (!arguments) return arguments.error();
  core.ask({*std::move(node), *std::move(actor)}, x.names[2], *std::move(arguments), *until, x.answer());
  return {};
}

}  // namespace

const control_topic<node_core>& call_routes() {
  static const control_topic<node_core> all = {
      {{.method = "POST",
        .path = "/v1/call/{node}/{actor}/{method}",
        .id = "call_method",
        .summary = "Calls a method of an actor",
        .parameters = {timeout_parameter()},
        .body = {.schema = schema::list(), .required = false, .words = "The arguments; none without a body"},
        .answer = {.words = "What the method returned", .schema = value::map{}, .member = "result"},
        .errors = {error_code::not_found, error_code::no_such_method, error_code::refused, error_code::unreachable,
                   error_code::timeout, error_code::maybe_done, error_code::down}},
       call_method},
  };
  return all;
}

}  // namespace flock
