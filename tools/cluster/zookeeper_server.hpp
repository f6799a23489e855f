#pragma once

#include "tools/cluster/child.hpp"
#include <flock/clock.hpp>
#include <flock/error.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace flock::testing {

/// A private ZooKeeper server, on the loopback unless it is told otherwise: one JVM with a small heap, which does not
/// sync its disk.
///
/// The jars are Debian's, or those of the environment variable FLOCK_ZOOKEEPER_CLASSPATH.
class zookeeper_server {
 public:
  struct ports {
    int client = 0;
    int peers = 0;
    int election = 0;
  };
  /// Free ones, for a server alone or for each of an ensemble.
  static std::vector<ports> pick_ports(int servers);

  struct options {
    std::string folder;              ///< made if it is missing; holds data/, zoo.cfg and log
    std::vector<ports> ensemble;     ///< all of its servers, this one too; one of them: alone
    int number = 1;                  ///< which of them this is, from 1
    bool outlives_us = false;        ///< see child
    int heap_mib = 64;               ///< enough for hundreds of nodes
    std::string host = "127.0.0.1";  ///< where clients connect; the servers of an ensemble meet on the loopback
  };

  /// Starts it; it serves somewhat later, a server of an ensemble when most of them run.
  /// Errors: io
  static result<zookeeper_server> start(options o);
  /// The process alone, in a folder where start() has been.
  /// Errors: io
  static result<child> run(const std::string& folder, bool outlives_us, int heap_mib = 64);

  int port() const { return options_.ensemble[static_cast<std::size_t>(options_.number - 1)].client; }
  /// "127.0.0.1:port"
  std::string address() const { return options_.host + ":" + std::to_string(port()); }
  child& process() { return process_; }

  /// Errors: timeout, down (it ended; the text has the end of its log)
  result<void> wait_until_serving(milliseconds patience);

  void kill() { process_.kill(); }
  /// Starts it again after it ended, with the same data and ports.
  /// Errors: io
  result<void> restart();
  /// Removes its data after it ended: it starts again as a new registry, unless others of an ensemble still have it.
  /// Errors: io
  result<void> wipe();
  void pause();
  void resume();

  /// All that it answers until it closes the connection, as it does after one of its four-letter words, such as "srvr"
  /// and "wchs".
  /// Errors: unreachable, timeout
  static result<std::string> ask(int port, std::string_view request, milliseconds patience = milliseconds(1000));
  result<std::string> ask(std::string_view request, milliseconds patience = milliseconds(1000)) const;

 private:
  zookeeper_server(options o, child process) : options_(std::move(o)), process_(std::move(process)) {}

  options options_;
  child process_;
};

}  // namespace flock::testing
