#include "libflock/values/enum_names.hpp"
#include "libflock/values/member_reader.hpp"
#include <flock/node_info.hpp>
#include <flock/value_cast.hpp>

#include <algorithm>
#include <utility>

namespace flock {

namespace {

using internal::enum_names;
using internal::find_name;
using internal::member_reader;
using internal::name_of;

constexpr enum_names<node_state, last_node_state> node_states = {"alive", "suspect", "dead", "left"};

constexpr std::string_view default_recipe = "::default";

std::string full_name(const std::string& recipe) {
  return recipe.find("::") == recipe.npos ? recipe + std::string(default_recipe) : recipe;
}

/// As Chef has it: "apache2" and "apache2::default" are both names of it.
value::list all_names(const std::vector<std::string>& recipes) {
  value::list names;
  for (const auto& recipe : recipes) {
    auto full = full_name(recipe);
    if (full.ends_with(default_recipe)) names.emplace_back(full.substr(0, full.size() - default_recipe.size()));
    names.emplace_back(std::move(full));
  }
  return names;
}

value::list run_list(const node_attributes& about) {
  value::list items;
  for (const auto& role : about.roles) items.emplace_back("role[" + role + "]");
  for (const auto& recipe : about.recipes) items.emplace_back("recipe[" + recipe + "]");
  return items;
}

}  // namespace

std::string_view to_string(node_state s) { return name_of(s, node_states); }
std::optional<node_state> node_state_from(std::string_view name) { return find_name<node_state>(name, node_states); }

value node_attributes::to_value() const {
  return value::map{{"environment", environment},
                    {"roles", flock::to_value(roles)},
                    {"recipes", flock::to_value(recipes)},
                    {"tags", flock::to_value(tags)},
                    {"attributes", attributes}};
}

result<node_attributes> node_attributes::from_value(const value& v) {
  using texts = std::vector<std::string>;
  member_reader in(v);
  node_attributes about;
  about.environment = in.optional<std::string>("environment").value_or("");
  about.roles = in.optional<texts>("roles").value_or(texts());
  about.recipes = in.optional<texts>("recipes").value_or(texts());
  about.tags = in.optional<texts>("tags").value_or(texts());
  about.attributes = in.optional<value>("attributes").value_or(value::map{});
  if (!about.attributes.as_map()) in.fail(wrong_kind("a map", about.attributes), "attributes");
  if (in.failed()) return *in.failed();
  return about;
}

bool node_attributes::has_recipe(const std::string& recipe) const {
  return std::any_of(recipes.begin(), recipes.end(),
                     [&](const std::string& r) { return full_name(r) == full_name(recipe); });
}

value node_life::to_value() const {
  return value::map{
      {"incarnation", life.str()}, {"address", address}, {"version", version}, {"started", format_time(started)}};
}

result<node_life> node_life::from_value(const value& v) {
  member_reader in(v);
  auto life = in.required<incarnation>("incarnation");
  auto address = in.required<std::string>("address");
  auto version = in.required<std::string>("version");
  auto text = in.required<std::string>("started");
  if (in.failed()) return *in.failed();
  auto started = parse_time(*text);
  if (!started) return started.error().within("started");
  return node_life{*life, *std::move(address), *std::move(version), *started};
}

value node_info::to_value() const {
  return value::map{{"id", id.str()},
                    {"incarnation", life.life.str()},
                    {"address", life.address},
                    {"state", to_string(state)},
                    {"environment", about.environment},
                    {"roles", flock::to_value(about.roles)},
                    {"recipes", flock::to_value(about.recipes)},
                    {"tags", flock::to_value(about.tags)},
                    {"version", life.version},
                    {"since", format_time(since)}};
}

value node_info::document() const {
  const auto* given = about.attributes.as_map();
  value::map all = given ? *given : value::map{};
  all["name"] = id.str();
  for (const auto* name : {"role", "roles"}) all[name] = flock::to_value(about.roles);
  for (const auto* name : {"recipe", "recipes"}) all[name] = all_names(about.recipes);
  all["run_list"] = run_list(about);
  all["chef_environment"] = about.environment;
  all["tags"] = flock::to_value(about.tags);
  return all;
}

}  // namespace flock
