#pragma once

#include "tools/flockctl/table.hpp"
#include <flock/value.hpp>

#include <vector>

namespace flock::ctl {

/// All that is known of a notification, for people: the time of each state, and how long after the first it came; its
/// causes, the oldest first; how its action ended.
std::vector<detail> notification_details(const value& notification);

/// How this node is, for people. Members that are not known here are shown as they are.
std::vector<detail> status_details(const value& status);

}  // namespace flock::ctl
