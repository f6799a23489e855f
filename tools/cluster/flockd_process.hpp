#pragma once

#include "tools/cluster/child.hpp"
#include "tools/cluster/cluster_folder.hpp"
#include <flock/clock.hpp>
#include <flock/error.hpp>
#include <flock/value.hpp>

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace flock::testing {

/// Where a program of Flock is: in `folder`, else beside this program, else its name alone, for PATH.
std::string find_program(const std::string& folder, const std::string& name);

/// A flockd in its folder of a cluster, which must be there with its flockd.conf, and which alone configures it: this
/// process's own FLOCK_ variables do not. Errors: io
///
/// \param inside  words before its command, such as {"nsenter", "--net=FILE"}; they must become it, not start it
result<child> start_flockd(const cluster_folder& folder, std::string_view id, const std::string& programs,
                           bool outlives_us, const std::vector<std::string>& inside = {});

/// Until a flockd that was started answers at its socket; it does without a registry, too.
/// Errors: down (see how_it_ended()), timeout (with the end of its log)
result<void> wait_until_answers(const cluster_folder& folder, const std::string& id, child& process);

/// That it ended by itself, with its status and the end of its log. Code: down
error how_it_ended(const cluster_folder& folder, const std::string& id, const child& process, int status);

/// What a flockd answers to a GET. Errors: those of the API, unreachable, timeout, protocol
result<value> get_json(const std::string& socket, std::string_view target, milliseconds patience);

/// Which nodes a flockd believes to be alive. Errors: as get_json()
result<std::set<std::string>> alive_nodes(const std::string& socket);

/// How often a state is asked for while it is waited for: at first soon, as most waits are short.
class polling {
 public:
  explicit polling(milliseconds patience) : until_(system_clock().now() + patience) {}

  /// Sleeps. \returns false if the time is up
  bool again();

 private:
  const time_point until_;
  milliseconds pause_{2};
};

}  // namespace flock::testing
