#pragma once

#include <string_view>

namespace flock {

/// Tells the service manager how this service is: one datagram to the socket that $NOTIFY_SOCKET names, as sd_notify(3)
/// does; nothing where there is none. Such as "READY=1", "STOPPING=1", "STATUS=...".
/// Source: sd_notify(3); a library for it would cost each daemon half a megabyte.
void notify_service_manager(std::string_view state);

}  // namespace flock
