#include "tools/flockctl/actor_command.hpp"

#include "tools/flockctl/location_options.hpp"

#include <utility>

namespace flock::ctl {

namespace {

error wrong(std::string what) { return {error_code::bad_argument, std::move(what)}; }

result<value> ask(const invocation& i, const actor_view& what, const std::string& node) {
  const parameters within{{"timeout", format_duration(i.patience())}};
  const auto path = target({"v1", "call", node, std::string(what.actor), std::string(what.method)}, within);
  auto answer = i.flockd.post(path, value::list{}, i.deadline());
  if (!answer) return answer.error();
  return (*answer)["result"];
}

value without_answer(const std::string& node, const std::string& why) {
  return value::map{{"node", node}, {"error", why}};
}

/// As the answer says, with the node that gave it.
value row_of(const std::string& node, value answer) {
  if (auto* members = answer.as_map()) {
    members->insert_or_assign("node", node);
    return answer;
  }
  return value::map{{"node", node}, {"answer", std::move(answer)}};
}

result<exit_code> show_one(const invocation& i, const actor_view& what, const std::string& node) {
  auto answer = ask(i, what, node);
  if (!answer) return answer.error();
  i.out.object(*answer, std::vector<std::string>(what.leading.begin(), what.leading.end()));
  return exit_code::ok;
}

result<exit_code> show_all(const invocation& i, const actor_view& what, const value::list& nodes) {
  value::list rows;
  bool all_answered = true;
  for (const auto& n : nodes) {
    const auto id = cell(n["id"]);
    const auto state = cell(n["state"]);
    const bool is_away = state == "dead" || state == "left";
    auto answer = is_away ? result<value>(error{error_code::unreachable, "it is " + state}) : ask(i, what, id);
    all_answered = all_answered && answer;
    rows.push_back(answer ? row_of(id, *std::move(answer)) : without_answer(id, answer.error().what));
  }
  auto columns = what.columns;
  columns.insert(columns.begin(), {"NODE", "node"});
  columns.push_back({"ERROR", "error"});
  i.out.rows(rows, columns, "no nodes");
  return all_answered ? exit_code::ok : exit_code::some_failed;
}

result<std::string> this_node(const invocation& i) {
  const auto status = i.flockd.get("/v1/status", i.deadline());
  if (!status) return status.error();
  return cell((*status)["id"]);
}

}  // namespace

std::function<result<exit_code>(const invocation&)> ask_actor(actor_view what) {
  return [what = std::move(what)](const invocation& i) -> result<exit_code> {
    auto where = location_parameters(i.words);
    if (!where) return where.error();
    if (!where->empty() && !i.words.operands.empty())
      return wrong("either a node or a location, not both: " + i.operand(0));
    if (where->empty()) {
      const auto node = i.words.operands.empty() ? this_node(i) : i.operand(0);
      return node ? show_one(i, what, *node) : result<exit_code>(node.error());
    }
    where->emplace_back("timeout", format_duration(i.patience()));
    const auto nodes = i.flockd.list(target({"v1", "nodes"}, *where), "nodes", i.deadline());
    return nodes ? show_all(i, what, *nodes) : result<exit_code>(nodes.error());
  };
}

}  // namespace flock::ctl
