#pragma once

#include <flock/error.hpp>
#include <flock/value.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace flock {

/// The elements of a path, decoded: "/a/b%2Fc" is {"a", "b/c"}.
/// Errors: bad_argument
result<std::vector<std::string>> split_path(std::string_view path);

/// The parameters of a query, decoded: "wait=completed&timeout=5s". A plus is a space, as forms send it.
class query_parameters {
 public:
  /// Errors: bad_argument
  static result<query_parameters> parse(std::string_view query);

  /// Errors: bad_argument (there is one that is not known)
  result<void> only(const std::vector<std::string_view>& known) const;

  /// Every text given for a name, in their order.
  value::list all(std::string_view name) const;
  /// Errors: bad_argument (more than one)
  result<std::optional<std::string>> one(std::string_view name) const;

 private:
  std::vector<std::pair<std::string, std::string>> pairs_;
};

}  // namespace flock
