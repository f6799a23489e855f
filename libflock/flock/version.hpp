#pragma once

#include <string_view>

namespace flock {

/// The version of this software: "0.1.0".
std::string_view version();

}  // namespace flock
