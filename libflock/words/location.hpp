#pragma once

#include <flock/error.hpp>
#include <flock/name.hpp>
#include <flock/value.hpp>

#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

namespace flock {

/// Which nodes: an AND of what is given; nothing given is nowhere, and an error.
///
/// JSON form, in resource files and in the control API: {"node": id or [ids], "roles": text or list, "recipes": text or
/// list, "environment": text, "query": text, "any": true}. "role" and "recipe" are taken for their plurals.
struct location {
  std::vector<node_id> nodes;        ///< one of these
  std::vector<std::string> roles;    ///< has all of these
  std::vector<std::string> recipes;  ///< has all of these; "apache2" stands for "apache2::default"
  std::optional<std::string> environment;
  std::optional<std::string> query;  ///< Chef search syntax; see query.hpp
  bool any = false;                  ///< one of the nodes that match, not all of them

  /// Errors: bad_argument (unknown member, wrong kind, empty, or a query that does not parse)
  static result<location> from_value(const value& v);
  value to_value() const;

  /// Named nodes only: they are targets even if nobody has heard of them yet.
  bool only_names() const { return !nodes.empty() && roles.empty() && recipes.empty() && !environment && !query; }
  bool empty() const { return nodes.empty() && roles.empty() && recipes.empty() && !environment && !query; }

  friend bool operator==(const location&, const location&) = default;
};

/// "role:web AND environment:production"
std::ostream& operator<<(std::ostream& out, const location& where);
std::string to_string(const location& where);

}  // namespace flock
