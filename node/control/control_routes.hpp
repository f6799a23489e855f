#pragma once

#include "node/control/control_api.hpp"
#include "node/control/control_exchange.hpp"

#include <vector>

namespace flock {

/// What answers a route.
struct control_handler {
  control_route is;
  /// Answers through the exchange, once. \returns an error in its place if the request is wrong; then nothing was asked
  /// of the backend
  result<void> (*answer)(control_exchange&);
};

const std::vector<control_handler>& control_handlers();

}  // namespace flock
