#pragma once

#include "libflock/seams/runtime.hpp"
#include <flock/clock.hpp>

#include <memory>
#include <string>

namespace flock::internal {

/// A runtime on CAF: every mailbox is an event-based actor of one actor system.
///
/// The scheduler's policy is `sharing`: CAF's default one polls, which costs 0.7 % of a core when idle and up to 16
/// times the latency (measured, see docs/architecture.md).
///
/// A job that throws is told of on stderr; its mailbox goes on.
/// \param time  the machine's clock, or one that agrees with it: CAF's own wakes the mailboxes
/// \param workers  threads that take turns; 1 or 2 are fastest
std::unique_ptr<runtime> make_caf_runtime(const clock& time, int workers = 2);

/// "0.17.6", of its headers.
std::string caf_version();

}  // namespace flock::internal
