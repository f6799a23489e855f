#pragma once

#include <cstddef>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace flock {

/// Where the parts of a JSON document stand, and in which order: what reading it into a value loses. It is as large as
/// the document has parts, however deep they are in each other.
class json_outline {
 public:
  /// \param text  JSON that from_json() accepts; of any other text, as much as looks like it
  explicit json_outline(std::string_view text);

  /// The keys of the outermost object, in the order in which they stand there.
  const std::vector<std::string>& keys() const { return keys_; }

  /// The line of the member or element with this path, or of the nearest part around it that is there.
  int line_of(std::initializer_list<std::string> path) const;

 private:
  class scanner;
  /// A member or element.
  struct part {
    std::size_t number;  // of its own; the document itself is 0
    int line;
  };

  std::vector<std::string> keys_;
  std::map<std::pair<std::size_t, std::string>, part>
      parts_;  // by what is around it, and its key, or its index as text
};

}  // namespace flock
