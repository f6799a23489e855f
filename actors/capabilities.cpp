#include "actors/capabilities.hpp"

#include "actor_headers.hpp"  // those of the classes in actors.def, listed by CMake

namespace flock {

const std::vector<capability>& capabilities() {
#define ACTOR(class_name, does) {#class_name, does, make_capability<class_name>},
  static const std::vector<capability> all = {
#include "actors/actors.def"
  };
#undef ACTOR
  return all;
}

}  // namespace flock
