#pragma once

#include <flock/error.hpp>
#include <flock/value.hpp>

#include <memory>
#include <string_view>

namespace flock {

/// A condition on a node's attributes in Chef's search syntax: "role:web AND NOT chef_environment:dev",
/// "kernel_release:5.*", "ipaddress:10.0.?.*", "platform:(debian OR ubuntu)", "memory:[1024 TO 4096]", "tags:blue",
/// "*:*".
///
/// A key names a member of the attributes; underscores or dots join the names of nested members. Values compare as
/// text, ranges as numbers if both ends are numbers. Terms side by side are joined by OR, as in Chef. "name",
/// "role(s)", "recipe(s)", "run_list", "chef_environment" and "tags" are known for each node.
class query {
 public:
  /// Errors: bad_argument (with the column)
  static result<query> parse(std::string_view text);

  /// \param document  a map: the attributes with the names above merged in
  bool matches(const value& document) const;

  struct expression;

 private:
  explicit query(std::shared_ptr<const expression> root) : root_(std::move(root)) {}

  std::shared_ptr<const expression> root_;
};

}  // namespace flock
