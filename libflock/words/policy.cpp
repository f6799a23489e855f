#include "libflock/words/policy.hpp"

#include <set>

namespace flock {

policy::policy(std::string own_environment) : same_environment_(std::move(own_environment)) {}

namespace {

error wrong(const std::string& where, const std::string& what) {
  return {error_code::bad_argument, where + ": " + what};
}

result<void> only(const value::map& members, const std::set<std::string_view>& known, const std::string& where) {
  for (const auto& [name, member] : members)
    if (!known.contains(name)) return wrong(where, "unknown member " + name);
  return {};
}

result<void> read_glob(const value& v, const std::string& where, glob& into) {
  if (v.is_null()) return {};
  const auto* text = v.as_text();
  if (!text) return wrong(where, "expected text, found " + std::string(to_string(v.type())));
  auto read = glob::parse(*text);
  if (!read) return wrong(where, read.error().what);
  into = *std::move(read);
  return {};
}

}  // namespace

result<policy> policy::parse(const value& file) {
  const auto* top = file.as_map();
  if (!top) return wrong("policy", "expected an object with rules");
  if (auto known = only(*top, {"rules"}, "policy"); !known) return known.error();
  const auto* rules = file["rules"].as_list();
  if (!rules) return wrong("policy", "rules: expected a list");

  policy out;
  for (const auto& v : *rules) {
    const auto where = "rules[" + std::to_string(out.rules_.size()) + "]";
    const auto* members = v.as_map();
    if (!members) return wrong(where, "expected an object");
    if (auto known = only(*members, {"allow", "from", "actor", "action"}, where); !known) return known.error();
    const auto* allow = v["allow"].as_bool();
    if (!allow) return wrong(where + ".allow", "expected true or false");
    rule r;
    r.allow = *allow;
    if (const auto& from = v["from"]; !from.is_null()) {
      const auto* who = from.as_map();
      if (!who) return wrong(where + ".from", "expected an object");
      if (auto known = only(*who, {"node", "environment"}, where + ".from"); !known) return known.error();
      if (auto read = read_glob(from["node"], where + ".from.node", r.node); !read) return read.error();
      if (auto read = read_glob(from["environment"], where + ".from.environment", r.environment); !read)
        return read.error();
    }
    if (auto read = read_glob(v["actor"], where + ".actor", r.actor); !read) return read.error();
    if (auto read = read_glob(v["action"], where + ".action", r.action); !read) return read.error();
    out.rules_.push_back(std::move(r));
  }
  return out;
}

result<void> policy::admits(const request& r) const {
  const auto refused = [&](const std::string& why) {
    return error{error_code::refused, std::string(r.from) + " (environment " +
                                          (r.environment.empty() ? "none" : std::string(r.environment)) + ") asked " +
                                          std::string(r.actor) + " for " + std::string(r.action) + ": " + why};
  };
  if (same_environment_) {
    if (r.environment == *same_environment_) return {};
    return refused("nodes of another environment are not admitted");
  }
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    const auto& fitting = rules_[i];
    if (!fitting.node.fits(r.from) || !fitting.environment.fits(r.environment) || !fitting.actor.fits(r.actor) ||
        !fitting.action.fits(r.action))
      continue;
    if (fitting.allow) return {};
    return refused("denied by rules[" + std::to_string(i) + "] of the policy");
  }
  return refused("no rule of the policy allows it");
}

}  // namespace flock
