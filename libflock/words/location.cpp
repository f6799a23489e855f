#include "libflock/words/location.hpp"

#include "libflock/values/member_reader.hpp"
#include "libflock/words/query.hpp"

#include <algorithm>
#include <iterator>
#include <ostream>
#include <sstream>
#include <utility>

namespace flock {

namespace {

using internal::member_reader;

result<std::vector<std::string>> one_or_many(const value& v) {
  if (const auto* text = v.as_text()) return std::vector{*text};
  if (!v.as_list()) return wrong_kind("text or a list of texts", v);
  return from_value<std::vector<std::string>>(v);
}

/// A member that is one text or a list of texts.
std::vector<std::string> texts(member_reader& in, const char* name) {
  auto member = in.optional<value>(name);
  if (!member) return {};
  auto names = one_or_many(*member);
  if (!names) {
    in.fail(names.error(), name);
    return {};
  }
  if (std::find(names->begin(), names->end(), "") != names->end()) {
    in.fail({error_code::bad_argument, "an empty name"}, name);
  }
  return *std::move(names);
}

std::vector<std::string> texts(member_reader& in, const char* plural, const char* singular) {
  auto all = texts(in, plural);
  auto more = texts(in, singular);
  all.insert(all.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  return all;
}

std::vector<node_id> node_ids(member_reader& in) {
  std::vector<node_id> ids;
  for (const auto& text : texts(in, "node")) {
    auto id = node_id::parse(text);
    if (id)
      ids.push_back(*std::move(id));
    else
      in.fail(id.error(), "node");
  }
  return ids;
}

}  // namespace

result<location> location::from_value(const value& v) {
  member_reader in(v);
  location where;
  where.nodes = node_ids(in);
  where.roles = texts(in, "roles", "role");
  where.recipes = texts(in, "recipes", "recipe");
  where.environment = in.optional<std::string>("environment");
  where.query = in.optional<std::string>("query");
  where.any = in.optional<bool>("any").value_or(false);
  in.refuse_others();
  if (where.query) {
    if (auto parsed = query::parse(*where.query); !parsed) in.fail(parsed.error(), "query");
  }
  if (in.failed()) return *in.failed();
  if (where.empty())
    return error{error_code::bad_argument, "a location needs a node, role, recipe, environment or query"};
  return where;
}

value location::to_value() const {
  value::map out;
  if (nodes.size() == 1) out.emplace("node", nodes.front().str());
  if (nodes.size() > 1) out.emplace("node", flock::to_value(nodes));
  if (!roles.empty()) out.emplace("roles", flock::to_value(roles));
  if (!recipes.empty()) out.emplace("recipes", flock::to_value(recipes));
  if (environment) out.emplace("environment", *environment);
  if (query) out.emplace("query", *query);
  if (any) out.emplace("any", true);
  return out;
}

std::ostream& operator<<(std::ostream& out, const location& where) {
  if (where.empty()) return out << "nowhere";
  if (where.any) out << "any of ";
  const char* between = "";
  auto part = [&]() -> std::ostream& { return out << std::exchange(between, " AND "); };
  if (!where.nodes.empty()) {
    part() << "node:";
    for (const auto& id : where.nodes) out << (&id == &where.nodes.front() ? "" : ",") << id;
  }
  for (const auto& role : where.roles) part() << "role:" << role;
  for (const auto& recipe : where.recipes) part() << "recipe:" << recipe;
  if (where.environment) part() << "environment:" << *where.environment;
  if (where.query) part() << '(' << *where.query << ')';
  return out;
}

std::string to_string(const location& where) {
  std::ostringstream out;
  out << where;
  return std::move(out).str();
}

}  // namespace flock
