#pragma once

#include "tests/chaos/private_network.hpp"
#include "tests/chaos/small_disk.hpp"
#include <flock/error.hpp>
#include <flock/testing/local_cluster.hpp>

#include <functional>
#include <string>
#include <vector>

namespace flock::chaos {

/// Something that goes wrong for a while. Faults know nothing of what is going on meanwhile, and can be mixed.
struct fault {
  std::string name;                  ///< "kill -9 of bender1"
  std::vector<std::string> victims;  ///< two faults at once have no victim in common
  std::function<result<void>()> begin;
  std::function<result<void>()> end;
  /// For faults that take a certain time; others take whatever the test likes.
  milliseconds lasts{0};
};

/// Kills flockd without a word, and starts it again.
fault kill(testing::local_cluster& flock, std::vector<std::string> nodes);
/// Stops its time: it does not answer, and its connections stay.
fault pause(testing::local_cluster& flock, std::string node, milliseconds lasts);
/// Ends flockd as a service manager does, and starts it again.
fault restart(testing::local_cluster& flock, std::string node);

/// Both ways between two places. \param from, to  nodes or zookeeper_place
fault cut(private_network& net, std::string from, std::string to);
/// Only what is sent from one to the other.
fault cut_one_way(private_network& net, std::string from, std::string to);

/// The registry ends the session of a node that lives.
fault end_session(testing::local_cluster& flock, std::string node);
fault kill_zookeeper(testing::local_cluster& flock, int number = 1);
fault pause_zookeeper(testing::local_cluster& flock, int number = 1);
/// All servers end and come back having forgotten everything.
fault wipe_zookeepers(testing::local_cluster& flock, int servers);

/// \param node  whose state-dir the disk is
fault fill(small_disk& disk, std::string node);

}  // namespace flock::chaos
