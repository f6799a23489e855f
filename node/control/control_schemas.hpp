#pragma once

#include <string_view>

namespace flock {

/// control_schemas.json: the shapes that operations name.
extern const std::string_view control_schemas;

}  // namespace flock
