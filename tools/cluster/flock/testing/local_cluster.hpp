#pragma once

#include <flock/clock.hpp>
#include <flock/error.hpp>
#include <flock/value.hpp>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <utility>
#include <vector>

namespace flock::testing {

class child;
class zookeeper_server;
struct cluster_parts;

/// How a program ended.
struct program_result {
  int exit_status = 0;  ///< 128 and the number if a signal ended it
  std::string out;
  std::string err;
};

/// One flockd of a local_cluster.
class cluster_node {
 public:
  cluster_node(cluster_parts& of, std::string id);
  ~cluster_node();
  cluster_node(const cluster_node&) = delete;
  cluster_node& operator=(const cluster_node&) = delete;

  const std::string& id() const { return id_; }
  /// Its folder: flockd.conf, flockd.sock, flockd.pid, flockd.log, resources.d/, state/
  std::string dir() const;
  std::string socket() const;
  /// What it has written to its log.
  std::string log() const;
  /// 0: it was never started.
  pid_t pid() const;
  /// Paused ones are.
  bool is_alive();

  /// Starts it after it ended, and returns when it answers at its socket. Errors: io, down, timeout
  result<void> start();
  /// Asks it to end, and kills it if it does not within ten seconds. \returns its exit status
  int stop();
  result<void> restart();
  void kill();
  /// Stops its time (SIGSTOP) until resume().
  void pause();
  void resume();

  /// Writes resources.d/<file>, to be read at its next start or reload. Errors: io
  result<void> write_resources(std::string_view file, std::string_view json) const;

  /// What the control API answers to a GET, such as "/v1/nodes". Errors: those of the API, unreachable, timeout
  result<value> get(std::string_view target, milliseconds patience = milliseconds(5000)) const;

  /// Runs flockctl against this node. One that has not ended after `patience` is killed: exit status 137.
  /// Errors: io (it cannot be started)
  result<program_result> flockctl(const std::vector<std::string>& arguments,
                                  milliseconds patience = milliseconds(30'000)) const;

 private:
  friend struct cluster_parts;
  friend class local_cluster;

  result<void> spawn();
  void ask_to_end();
  std::optional<error> unexpected_end();

  cluster_parts& of_;
  const std::string id_;
  std::unique_ptr<child> process_;
  bool is_wanted_ = false;  ///< its end would be none of ours
  bool is_paused_ = false;
};

/// One ZooKeeper server of a local_cluster.
class cluster_zookeeper {
 public:
  cluster_zookeeper(cluster_parts& of, int number, zookeeper_server&& server);
  ~cluster_zookeeper();
  cluster_zookeeper(const cluster_zookeeper&) = delete;
  cluster_zookeeper& operator=(const cluster_zookeeper&) = delete;

  /// "127.0.0.1:port"
  std::string address() const;
  pid_t pid() const;
  bool is_alive();
  /// What it answers to one of ZooKeeper's four-letter words, such as "srvr", or to a request of its protocol.
  /// Errors: unreachable, timeout
  result<std::string> ask(std::string_view request) const;

  void kill();
  /// Starts it after it ended, with the same data and port, and returns when it serves. Errors: io, down, timeout
  result<void> start();
  /// The same without waiting until it serves: one of an ensemble does not before most of them run. Errors: io
  result<void> begin_start();
  /// Removes what it has stored, after it ended. Errors: io
  result<void> wipe();
  void pause();
  void resume();

 private:
  friend struct cluster_parts;
  friend class local_cluster;

  cluster_parts& of_;
  const int number_;
  std::unique_ptr<zookeeper_server> server_;
};

/// A whole flock on this machine, for tests: private ZooKeeper servers and some flockd, in one folder. Its processes
/// end when it goes, and also when the thread that started them ends, however that ends. For one thread.
class local_cluster {
 public:
  /// Lines of a flockd.conf: key and value.
  using settings = std::vector<std::pair<std::string, std::string>>;

  struct options {
    std::string folder;  ///< made if it is missing; empty: a temporary one, removed at the end
    int nodes = 2;
    std::string prefix = "bender";             ///< ids are the prefix and a number from 0
    int zookeepers = 1;                        ///< 1 or 3
    std::string zookeeper_host = "127.0.0.1";  ///< the address where nodes find them
    bool tls = false;                          ///< mutual TLS, with an authority made for this cluster
    /// For every node, and by id for one node: beside the cluster's own, or in their place, as with listen and
    /// state-dir.
    settings common;
    std::map<std::string, settings> each;
    /// By id: words before a node's command, such as {"nsenter", "--net=FILE"}. They must become it, not start it.
    std::map<std::string, std::vector<std::string>> inside;
    std::map<std::string, std::string> resources;  ///< by id: the JSON of one file in resources.d/
    std::string programs;           ///< the folder of flockd and flockctl; empty: that of this program, then PATH
    milliseconds patience{60'000};  ///< for all to see each other
    bool outlives_us = false;       ///< the processes go on without this one, see leave_running()

    std::function<void(const std::string&)> progress;  ///< told what is waited for, now and then
    std::function<bool()> cancelled;                   ///< asked now and then; true ends the start
  };

  /// Starts it, and returns when all nodes see each other.
  /// Errors: bad_argument, conflict (there is a cluster in that folder), io, down (a process ended: which, and the end
  /// of its log), timeout (which node does not see which, and the end of its log), shutting_down (cancelled). Nothing
  /// of it runs then; the folder stays, if it was given.
  static result<local_cluster> start(options o);

  local_cluster(local_cluster&& other) noexcept;
  local_cluster& operator=(local_cluster&& other) noexcept;
  ~local_cluster();

  const std::string& folder() const;
  /// The URL that every node has.
  const std::string& registry() const;

  /// By id; asserts that there is one.
  cluster_node& node(std::string_view id);
  std::vector<std::string> ids() const;
  /// From 1.
  cluster_zookeeper& zookeeper(int number = 1);

  /// Until every node that was started, and neither ended nor paused by this object, sees every other such node as
  /// alive. Errors: down (one ended by itself), timeout
  result<void> wait_until_all_see_all(milliseconds patience = milliseconds(30'000));

  /// Lets the processes go on without this object, which then knows nothing of them; see outlives_us.
  void leave_running();

 private:
  explicit local_cluster(std::unique_ptr<cluster_parts> parts);

  std::unique_ptr<cluster_parts> parts_;
};

}  // namespace flock::testing
