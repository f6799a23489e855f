#pragma once

#include <string_view>

namespace flock {

/// docs/control_api.openapi.json as it was when this was built.
extern const std::string_view control_openapi;

}  // namespace flock
