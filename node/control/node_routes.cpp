#include "node/control/node_routes.hpp"

#include "node/control/control_exchange.hpp"

#include <chrono>
#include <string>
#include <utility>

namespace flock {
namespace {

location only(const node_id& id) {
  location where;
  where.nodes = {id};
  return where;
}

result<void> list_nodes(control_exchange& x, node_core& core) {
  const auto until = x.deadline();
  if (!until) return until.error();
  auto where = x.where();
  if (!where) return where.error();
  core.home().post([&core, where = *std::move(where), until = *until, answer = x.answer()] {
    core.nodes(where, until, [answer](result<std::vector<node_info>> known) {
      if (!known) return answer(known.error());
      value::list out;
      for (const auto& n : *known) out.push_back(n.to_value());
      answer(value(std::move(out)));
    });
  });
  return {};
}

value all_of(const node_info& n, const node_core& core) {
  auto out = n.to_value();
  out.as_map()->insert_or_assign("attributes", n.about.attributes);
  out.as_map()->insert_or_assign("connected", core.peers().contains(n.id));
  out.as_map()->insert_or_assign("queued", core.deliveries().outbox_depth(n.id));
  return out;
}

result<void> show_node(control_exchange& x, node_core& core) {
  const auto until = x.deadline();
  if (!until) return until.error();
  const auto id = node_id::parse(x.names[0]);
  if (!id) return id.error();
  core.home().post([&core, id = *id, until = *until, answer = x.answer()] {
    core.nodes(only(id), until, [&core, id, answer](result<std::vector<node_info>> known) {
      if (!known) return answer(known.error());
      if (known->empty()) return answer(error{error_code::not_found, "no node named " + id.str()});
      answer(all_of(known->front(), core));
    });
  });
  return {};
}

result<void> ping_node(control_exchange& x, node_core& core) {
  const auto until = x.deadline();
  if (!until) return until.error();
  const auto id = node_id::parse(x.names[0]);
  if (!id) return id.error();
  const auto sent = core.now();
  core.ask_node(*id, "ping", {}, *until, [&core, id = *id, sent, answer = x.answer()](result<value> pong) {
    if (!pong) return answer(pong.error());
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(core.now() - sent);
    answer(value(value::map{{"node", id.str()}, {"rtt_us", took.count()}}));
  });
  return {};
}

/// What one node has, this one if none is named.
result<void> ask_node(control_exchange& x, node_core& core, std::string what) {
  const auto until = x.deadline();
  if (!until) return until.error();
  const auto of = x.node();
  if (!of) return of.error();
  core.ask_node(of->value_or(core.id()), std::move(what), {}, *until, x.answer());
  return {};
}

result<void> list_actors(control_exchange& x, node_core& core) { return ask_node(x, core, "actors"); }
result<void> list_subscriptions(control_exchange& x, node_core& core) { return ask_node(x, core, "subscriptions"); }

control_topic<node_core> routes() {
  using schema::flag, schema::integer, schema::list, schema::named, schema::object, schema::text;
  const control_parameter node{.name = "node", .words = "A node id"};
  return {
      {{.method = "GET",
        .path = "/v1/nodes",
        .id = "list_nodes",
        .summary = "The nodes of a location, all without one",
        .parameters = {{"node", list(text()), "One of these; may repeat"},
                       {"role", list(text()), "Has all of these; may repeat"},
                       {"recipe", list(text()), "Has all of these; may repeat"},
                       {"environment"},
                       {"query", text(), "Chef search syntax"},
                       {"any", flag(false), "One of those that match"},
                       timeout_parameter()},
        .answer = {.words = "Nodes, by id", .schema = list(named("node")), .member = "nodes"},
        .errors = {error_code::not_found, error_code::unreachable}},
       list_nodes},
      {{.method = "GET",
        .path = "/v1/nodes/{id}",
        .id = "show_node",
        .summary = "All that is known of one node, attributes included",
        .parameters = {timeout_parameter()},
        .answer = {.words = "The node", .schema = named("node")},
        .errors = {error_code::not_found, error_code::unreachable}},
       show_node},
      {{.method = "GET",
        .path = "/v1/ping/{node}",
        .id = "ping_node",
        .summary = "One round trip through the actor system of a node",
        .parameters = {timeout_parameter()},
        .answer = {.words = "How long it took", .schema = object({{"node", text()}, {"rtt_us", integer()}})},
        .errors = {error_code::not_found, error_code::unreachable, error_code::timeout, error_code::maybe_done}},
       ping_node},
      {{.method = "GET",
        .path = "/v1/actors",
        .id = "list_actors",
        .summary = "The actors of a node, by default of this one",
        .parameters = {node, timeout_parameter()},
        .answer = {.words = "Actors, by name", .schema = list(named("actor")), .member = "actors"},
        .errors = {error_code::not_found, error_code::unreachable, error_code::timeout, error_code::maybe_done}},
       list_actors},
      {{.method = "GET",
        .path = "/v1/subscriptions",
        .id = "list_subscriptions",
        .summary = "The standing subscriptions of a node, by default of this one",
        .parameters = {node, timeout_parameter()},
        .answer = {.words = "Subscriptions", .schema = list(named("subscription")), .member = "subscriptions"},
        .errors = {error_code::not_found, error_code::unreachable, error_code::timeout, error_code::maybe_done}},
       list_subscriptions},
  };
}

}  // namespace

const control_topic<node_core>& node_routes() {
  static const auto all = routes();
  return all;
}

}  // namespace flock
