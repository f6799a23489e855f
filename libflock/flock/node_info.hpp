#pragma once

#include <flock/clock.hpp>
#include <flock/error.hpp>
#include <flock/name.hpp>
#include <flock/value.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flock {

/// What is believed of a node. Sent and JSON form: the enumerator's name.
enum class node_state : std::uint8_t {
  alive = 1,  ///< in the registry, or connected
  suspect,    ///< one witness has lost it; see directory
  dead,       ///< no witness is left
  left,       ///< it said goodbye
};

inline constexpr node_state last_node_state = node_state::left;

std::string_view to_string(node_state s);
std::optional<node_state> node_state_from(std::string_view name);

/// What a node publishes of itself in the registry, apart from its life. Stored: JSON, see docs/registry_tree.md.
struct node_attributes {
  std::string environment;
  std::vector<std::string> roles;
  std::vector<std::string> recipes;
  std::vector<std::string> tags;
  value attributes = value::map{};

  /// "apache2" and "apache2::default" are both names of the same.
  bool has_recipe(const std::string& recipe) const;

  value to_value() const;
  /// Errors: bad_argument
  static result<node_attributes> from_value(const value& v);

  friend bool operator==(const node_attributes&, const node_attributes&) = default;
};

/// One life of a node, as its ephemeral entry in the registry says.
struct node_life {
  incarnation life;
  std::string address;  ///< "host:port"
  std::string version;
  wall_time started{};

  value to_value() const;
  /// Errors: bad_argument
  static result<node_life> from_value(const value& v);

  friend bool operator==(const node_life&, const node_life&) = default;
};

struct node_info {
  node_id id;
  node_life life;
  node_state state = node_state::alive;
  wall_time since{};  ///< in this state
  node_attributes about;

  /// The shape of `flockctl nodes` in docs/contract.
  value to_value() const;
  /// What a query looks at: the attributes with name, role, recipe, chef_environment, tags merged in.
  value document() const;
};

}  // namespace flock
