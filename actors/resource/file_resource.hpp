#pragma once

#include "actors/resource/resource_type.hpp"

namespace flock {

/// A file: members path (default: the name), content, mode. Actions: create, delete, nothing.
///
/// Written as a temporary file beside it that takes its place, so that readers see the old content or the new one. A
/// file that was there keeps its owner, and its mode unless one is given; a new one gets 0644. Without `content` an
/// existing file keeps its own and a new one is empty. Anything but a plain file in its place is an error.
resource_type file_resource();

}  // namespace flock
