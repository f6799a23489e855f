#pragma once

#include <flock/clock.hpp>
#include <flock/name.hpp>

#include <cstdint>
#include <map>
#include <random>
#include <vector>

namespace flock {

/// When to dial again the nodes that are taken for dead although the registry lists them: they may live, and if all
/// that kept them apart has ended without a word of the registry's, nothing else would bring them together. Pure.
///
/// The first visit is `first` after a node is seen dead, each further pause is twice as long, at most `longest`; and
/// each is cut by up to a half, so that those who died together are not visited together. A process that was killed
/// thus costs a visit or two, as its session ends soon; a node that is cut off costs each of the others two a minute.
class revisits {
 public:
  struct options {
    milliseconds first{5000};
    milliseconds longest{30'000};
  };

  /// \param seed  no two nodes have the same pauses
  revisits(std::uint64_t seed, options o) : options_(o), random_(static_cast<std::uint32_t>(seed)) {}

  /// \param dead  all that are dead and listed now; what is not among them begins anew when it is again
  /// \returns those among them to be dialled now
  std::vector<node_id> due(const std::vector<node_id>& dead, time_point now);

 private:
  struct visit {
    milliseconds pause;
    time_point at;
  };

  time_point after(milliseconds pause, time_point now);

  options options_;
  std::minstd_rand random_;
  std::map<node_id, visit> next_;
};

}  // namespace flock
