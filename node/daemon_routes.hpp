#pragma once

#include "node/control/call_routes.hpp"
#include "node/control/chef_routes.hpp"
#include "node/control/control_api.hpp"
#include "node/control/document_routes.hpp"
#include "node/control/event_routes.hpp"
#include "node/control/node_routes.hpp"
#include "node/control/notification_routes.hpp"

namespace flock {

class daemon;

/// What a daemon itself is asked: its resources and the runs over them, its configuration, how it is.
const control_topic<daemon>& daemon_routes();

/// Calls f with each topic of a flockd's control API.
template <class F> void each_control_topic(F&& f) {
  f(call_routes());
  f(chef_routes());
  f(daemon_routes());
  f(document_routes());
  f(event_routes());
  f(node_routes());
  f(notification_routes());
}

}  // namespace flock
