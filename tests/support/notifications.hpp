#pragma once

#include "libflock/words/notification.hpp"
#include <flock/name.hpp>

#include <chrono>
#include <string>
#include <string_view>
#include <utility>

namespace flock::testing {

inline node_id node(std::string_view id) { return node_id::parse(id).value(); }

/// A wall time so many milliseconds after the one at which a manual_clock starts.
inline wall_time at(std::int64_t ms) {
  return wall_time(std::chrono::sys_days(std::chrono::year(2026) / std::chrono::January / 31)) + milliseconds(ms);
}

/// From bender0 to bender1: execute[toast] :run, made at(0), worth something for an hour.
inline notification make_notification(std::string id) {
  return {std::move(id), node("bender0"), node("bender1"), actor_name::parse("execute[toast]").value(), "run", {}, {},
          at(0),         at(3600'000)};
}

/// The same, worth nothing from at(ms) on.
inline notification expiring(std::string id, std::int64_t ms) {
  auto n = make_notification(std::move(id));
  n.expires = at(ms);
  return n;
}

}  // namespace flock::testing
