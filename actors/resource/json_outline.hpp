#pragma once

#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace flock {

/// Where the parts of a JSON document stand, and in which order: what reading it into a value loses.
class json_outline {
 public:
  /// \param text  JSON that from_json() accepts
  explicit json_outline(std::string_view text);

  /// The keys of the outermost object, in the order in which they stand there.
  const std::vector<std::string>& keys() const { return keys_; }

  /// The line of the member or element with this path, or of the nearest part around it that is there.
  int line_of(std::initializer_list<std::string> path) const;

 private:
  class scanner;
  using path = std::vector<std::string>;  // keys, and indices as text

  std::vector<std::string> keys_;
  std::map<path, int> lines_;
};

}  // namespace flock
