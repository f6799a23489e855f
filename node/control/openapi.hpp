#pragma once

#include "node/control/control_operation.hpp"
#include <flock/value.hpp>

#include <vector>

namespace flock {

/// The OpenAPI document of these operations, with the schemas of control_schemas.json.
/// Source: OpenAPI 3.0.3
value openapi_document(const std::vector<const control_operation*>& operations);

}  // namespace flock
