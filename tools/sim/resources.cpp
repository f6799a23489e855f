#include "tools/sim/resources.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace flock::simulator {

namespace {

class simulated_provider final : public provider {
 public:
  simulated_provider(resource_name of, onlooker& who) : name_(std::move(of)), onlooker_(who) {}

  action_report perform(std::string_view action, const attempt& how) const override {
    const bool is_done = onlooker_.is_done(how);
    onlooker_.begins(name_, action, how);
    onlooker_.ends(name_, action, how);
    if (action == "fail") return action_report::failed({error_code::io, "as it was meant to"});
    return {.how = action == "run" && !is_done ? outcome::updated : outcome::up_to_date, .output = std::string(action)};
  }
  bool may_block() const override { return name_.name != "now"; }

 private:
  resource_name name_;
  onlooker& onlooker_;
};

}  // namespace

const resource_type& simulated_type() {
  static const resource_type type{
      "sim",
      {describe_action("run", "updates it"), describe_action("check", "finds it up to date"),
       describe_action("hear", "finds it up to date"), describe_action("fail", "fails"),
       describe_action("nothing", "does nothing")},
      {}};
  return type;
}

declaration declare(const resource_name& name) {
  declaration d{.name = name, .type = &simulated_type()};
  d.action = "run";
  write_down(d, 0);
  return d;
}

void write_down(declaration& d, int revision) {
  value::list notifies, subscribes;
  for (const auto& w : d.notifies) notifies.push_back(w.to_value());
  for (const auto& s : d.subscribes) subscribes.push_back(s.to_value());
  d.members = value::map{{"action", d.action},
                         {"remote_notifies", std::move(notifies)},
                         {"remote_subscribes", std::move(subscribes)},
                         {"revision", revision}};
}

declaration read_by(declaration d, onlooker& who) {
  d.what = std::make_shared<const simulated_provider>(d.name, who);
  return d;
}

resource_name simulated(const std::string& name) { return {simulated_type().name, name}; }

resource_name of_chef(const std::string& name) { return {std::string(chef_type), name}; }

location only(const node_id& id) {
  location where;
  where.nodes = {id};
  return where;
}

intent meant(const notification& n, bool admitted, const std::vector<resource_name>& could_be_declared) {
  const bool could_be = std::any_of(could_be_declared.begin(), could_be_declared.end(),
                                    [&](const resource_name& r) { return r.str() == n.actor.str(); });
  if (!admitted || !could_be || !simulated_type().has_action(n.action)) return intent::undeclared;
  return n.action == "fail" ? intent::fail : intent::work;
}

}  // namespace flock::simulator
