#include "libflock/words/notification.hpp"
#include "tools/flockctl/command.hpp"
#include "tools/flockctl/location_options.hpp"
#include "tools/flockctl/views.hpp"
#include <flock/name.hpp>

#include <charconv>
#include <system_error>
#include <utility>

namespace flock::ctl {
namespace {

constexpr int most_pings = 1'000'000;

error wrong(std::string what) { return {error_code::bad_argument, std::move(what)}; }

result<int> read_count(const std::string& text) {
  int count = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (failed != std::errc() || end != text.data() + text.size() || count < 1 || count > most_pings)
    return wrong("--count is a number from 1 to " + std::to_string(most_pings) + ", not " + text);
  return count;
}

void show_pong(console& out, const value& pong, int seq) {
  if (!out.json()) {
    out.line(harmless(cell(pong["node"])) + " seq=" + std::to_string(seq) + " rtt=" + cell(pong["rtt_us"]) + "us");
    return;
  }
  auto shown = pong.as_map() ? *pong.as_map() : value::map();
  shown.insert_or_assign("seq", seq);
  out.line(to_json(shown));
}

result<value::list> read_arguments(const std::vector<std::string>& operands) {
  value::list arguments;
  for (std::size_t i = 2; i < operands.size(); ++i) {
    auto read = from_json(operands[i]);
    if (!read)
      return wrong("argument " + std::to_string(i - 1) + " is no JSON: " + operands[i] +
                   " (a text needs quotes: '\"...\"')");
    arguments.push_back(*std::move(read));
  }
  return arguments;
}

parameters with_timeout(const invocation& i, parameters query = {}) {
  query.emplace_back("timeout", format_duration(i.patience()));
  return query;
}

}  // namespace

result<exit_code> show_status(const invocation& i) {
  const auto status = i.flockd.get("/v1/status", i.deadline());
  if (!status) return status.error();
  i.out.object(*status, status_details(*status));
  return exit_code::ok;
}

result<exit_code> list_nodes(const invocation& i) {
  auto where = location_parameters(i.words);
  if (!where) return where.error();
  const auto nodes = i.flockd.list(target({"v1", "nodes"}, with_timeout(i, *std::move(where))), "nodes", i.deadline());
  if (!nodes) return nodes.error();
  i.out.rows(*nodes,
             {{"ID", "id"},
              {"STATE", "state"},
              {"ADDRESS", "address"},
              {"ENVIRONMENT", "environment"},
              {"ROLES", "roles"},
              {"RECIPES", "recipes"},
              {"TAGS", "tags"},
              {"VERSION", "version"},
              {"SINCE", "since"}},
             "no nodes");
  return exit_code::ok;
}

result<exit_code> show_node(const invocation& i) {
  const auto node = i.flockd.get(target({"v1", "nodes", i.operand(0)}, with_timeout(i)), i.deadline());
  if (!node) return node.error();
  i.out.object(*node, {"id", "state", "address", "incarnation"});
  return exit_code::ok;
}

result<exit_code> list_actors(const invocation& i) {
  const auto actors =
      i.flockd.list(target({"v1", "actors"}, with_timeout(i, i.node_operand())), "actors", i.deadline());
  if (!actors) return actors.error();
  i.out.rows(*actors, {{"NAME", "name"}, {"NODE", "node"}, {"TYPE", "type"}, {"METHODS", "methods"}}, "no actors");
  return exit_code::ok;
}

result<exit_code> ping_node(const invocation& i) {
  const auto count = read_count(i.words.one("count").value_or("1"));
  if (!count) return count.error();
  const auto path = target({"v1", "ping", i.operand(0)}, with_timeout(i));
  for (int seq = 1; seq <= *count; ++seq) {
    const auto pong = i.flockd.get(path, i.deadline());
    if (!pong) return pong.error();
    show_pong(i.out, *pong, seq);
  }
  return exit_code::ok;
}

result<exit_code> call_method(const invocation& i) {
  const auto to = address::parse(i.operand(0));
  if (!to) return to.error();
  if (!to->node) return wrong("on which node? NODE/ACTOR, not " + i.operand(0));
  auto arguments = read_arguments(i.words.operands);
  if (!arguments) return arguments.error();
  const auto path = target({"v1", "call", to->node->str(), to->actor.str(), i.operand(1)}, with_timeout(i));
  const auto answer = i.flockd.post(path, *std::move(arguments), i.deadline());
  if (!answer) return answer.error();
  const auto& result = (*answer)["result"];
  i.out.line(to_json(result, i.out.json() ? -1 : 2));
  // An action of a resource tells so that it failed.
  const bool failed = result["outcome"] == value(to_string(outcome::failed)) && result["error"].as_map();
  return failed ? exit_code::some_failed : exit_code::ok;
}

result<exit_code> list_subscriptions(const invocation& i) {
  const auto path = target({"v1", "subscriptions"}, with_timeout(i, i.node_operand()));
  const auto subscriptions = i.flockd.list(path, "subscriptions", i.deadline());
  if (!subscriptions) return subscriptions.error();
  i.out.rows(*subscriptions,
             {{"ID", "id"},
              {"WATCHED", "watched"},
              {"PUBLISHERS", "publishers"},
              {"RESOURCE", "resource"},
              {"ACTION", "action"},
              {"TIMING", "timing"}},
             "no subscriptions");
  return exit_code::ok;
}

result<exit_code> reload_files(const invocation& i) {
  const auto answer = i.flockd.post("/v1/reload", value::map{}, i.deadline());
  if (!answer) return answer.error();
  i.out.object(*answer);
  return exit_code::ok;
}

}  // namespace flock::ctl
