#pragma once

#include "libflock/core/node_core.hpp"
#include "node/control/control_api.hpp"

namespace flock {

/// What describes the API: its own operations, and the actors of its node.
struct control_document {
  node_core& core;
  const control_api* api = nullptr;  ///< null until it is there
};

const control_topic<control_document>& document_routes();

}  // namespace flock
