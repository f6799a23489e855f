#pragma once

#include "node/control/control_api.hpp"

namespace flock {

/// The API's own description.
const control_topic<control_api>& document_routes();

}  // namespace flock
