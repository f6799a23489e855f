#pragma once

#include <flock/error.hpp>
#include <flock/value.hpp>

#include <functional>
#include <string_view>
#include <utility>

namespace flock {

/// A condition on a node's attributes in Chef's search syntax: "role:web AND NOT chef_environment:dev",
/// "kernel_release:5.*", "ipaddress:10.0.?.*", "platform:(debian OR ubuntu)", "memory:[1024 TO 4096]", "tags:blue",
/// "kernel:*" (there is such a key), "*:*" (every node).
///
/// A key names a member of the attributes; underscores or dots join the names of nested members. Values compare as
/// text, ranges as numbers if their ends are numbers; [ ] include the ends, { } do not, * leaves an end open. "name",
/// "role(s)", "recipe(s)", "run_list", "chef_environment" and "tags" are known for each node.
///
/// NOT binds closest, then AND, then OR; "&&", "||" and "!" are other names of theirs. Terms side by side are joined by
/// OR, as in Chef; among those, +term is required and -term (or NOT term) excluded. Special characters are taken as
/// they are after a backslash or within double quotes.
class query {
 public:
  /// Errors: bad_argument (with the column)
  static result<query> parse(std::string_view text);

  /// \param document  a map: the attributes with the names above merged in
  bool matches(const value& document) const { return condition_(document); }

  using condition = std::function<bool(const value&)>;

 private:
  explicit query(condition c) : condition_(std::move(c)) {}

  condition condition_;
};

}  // namespace flock
