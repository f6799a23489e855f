#include <flock/value_cast.hpp>

namespace flock {

error wrong_kind(std::string_view expected, const value& found) {
  return {error_code::bad_argument,
          "expected " + std::string(expected) + ", found " + std::string(to_string(found.type()))};
}

}  // namespace flock
