#pragma once

#include "libflock/core/node_core.hpp"
#include <flock/config.hpp>
#include <flock/value.hpp>

#include <cstddef>
#include <string>

namespace flock {

/// What a node tells of itself: its registry, peers, queues, journal and troubles. In its home mailbox.

/// The members of GET /v1/status that are the node's; see docs/control_api.md.
value::map status_of(const node_core& core, const config& with);

/// GET /metrics: Prometheus text.
/// \param resources  how many are declared
std::string metrics_of(const node_core& core, std::size_t resources);

}  // namespace flock
