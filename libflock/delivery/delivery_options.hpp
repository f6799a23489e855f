#pragma once

#include "libflock/delivery/ledger.hpp"
#include "libflock/delivery/outbox.hpp"
#include <flock/clock.hpp>

#include <cstddef>

namespace flock {

/// Bounds of a courier and its parts.
struct delivery_options {
  outbox::options out;  ///< a notification larger than its `bytes` is refused
  ledger::options keep;
  std::size_t waiting = 100'000;        ///< parcels for one receiver; more notifications are refused
  std::size_t unacknowledged = 256;     ///< parcels of one channel, well below a window; then an acknowledgement goes
  milliseconds stall{10'000};           ///< what is on the way as long without a word is sent once more; doubles,
  milliseconds longest_stall{120'000};  ///< at most this
  milliseconds grace{60'000};           ///< see courier.hpp, on notifications whose time has passed
  milliseconds give_up{7 * 24 * 3600'000};
};

}  // namespace flock
