#pragma once

#include "libflock/calls/actor_host.hpp"
#include "node/control/control_operation.hpp"
#include <flock/value.hpp>

#include <vector>

namespace flock {

/// The OpenAPI document of these operations, with the schemas of control_schemas.json, and of the methods of these
/// actors, each as an operation of its own. Resources are left out: they may be thousands, and all of a type are alike.
/// Source: OpenAPI 3.0.3
value openapi_document(const std::vector<const control_operation*>& operations,
                       const std::vector<actor_host::published_actor>& actors = {});

}  // namespace flock
