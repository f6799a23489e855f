#include <flock/version.hpp>

namespace flock {

std::string_view version() { return FLOCK_VERSION; }

}  // namespace flock
