#include "tools/sim/resources.hpp"

#include <algorithm>
#include <memory>

namespace flock::simulator {

namespace {

class simulated_provider final : public provider {
 public:
  explicit simulated_provider(bool may_block) : may_block_(may_block) {}

  action_report perform(std::string_view action, const attempt& how) const override {
    how.log(action);  // where the one who simulates listens
    if (action == "fail") return action_report::failed({error_code::io, "as it was meant to"});
    return {.how = action == "run" ? outcome::updated : outcome::up_to_date, .output = std::string(action)};
  }
  bool may_block() const override { return may_block_; }

 private:
  bool may_block_;
};

}  // namespace

const resource_type& simulated_type() {
  static const resource_type type{
      "sim",
      {describe_action("run", "updates it"), describe_action("check", "finds it up to date"),
       describe_action("fail", "fails"), describe_action("nothing", "does nothing")},
      {}};
  return type;
}

declaration declare(const resource_name& name) {
  declaration d{.name = name, .type = &simulated_type()};
  d.what = std::make_shared<const simulated_provider>(name.name != "now");
  d.action = "run";
  return d;
}

resource_name simulated(const std::string& name) { return {"sim", name}; }

location only(const node_id& id) {
  location where;
  where.nodes = {id};
  return where;
}

intent meant(const notification& n, bool admitted, const std::vector<declaration>& declared) {
  const bool is_declared = std::any_of(declared.begin(), declared.end(),
                                       [&](const declaration& d) { return d.name.str() == n.actor.str(); });
  if (!admitted || !is_declared || !simulated_type().has_action(n.action)) return intent::undeclared;
  return n.action == "fail" ? intent::fail : intent::work;
}

}  // namespace flock::simulator
