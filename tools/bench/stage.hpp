#pragma once

#include "tools/bench/request.hpp"
#include "tools/cluster/child.hpp"
#include "tools/cluster/zookeeper_server.hpp"
#include <flock/certificates.hpp>
#include <flock/error.hpp>
#include <flock/node.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flock::bench {

/// A part that this program plays in a process of its own, started as `flock-bench --child NAME ARGUMENT...`.
struct role {
  std::string_view name;
  /// \returns the exit status
  int (*play)(const std::vector<std::string>& arguments);
};

/// A process of this program that plays a role; it ends with this object, and with this program. Its output is appended
/// to a file.
/// Errors: io
result<testing::child> start_role(std::string_view name, std::vector<std::string> arguments, const std::string& log);

/// Where the processes of a workload meet: a folder, a private ZooKeeper and, unless the transport is plain, an
/// authority for their certificates. All of it goes with the object.
class stage {
 public:
  /// \param heap_mib  of ZooKeeper. Errors: io, not_found (ZooKeeper or Java is not installed), timeout
  static result<stage> set_up(const settings& with, int heap_mib = 64);
  ~stage();
  stage(stage&&) = default;
  stage& operator=(stage&&) = delete;

  /// Empty, for what belongs to this run.
  const std::string& folder() const { return folder_; }
  std::string log() const { return folder_ + "/log"; }
  const testing::zookeeper_server& zookeeper() const { return *server_; }
  /// The URL for all nodes.
  std::string registry() const;

  /// What a node of this name is started with, as flockd and node::start(argc, argv) take it. Errors: io
  result<std::vector<std::string>> node_options(const std::string& id) const;
  std::string state_dir(const std::string& id) const { return folder_ + "/" + id + "/state"; }
  std::string socket(const std::string& id) const { return folder_ + "/" + id + "/flockd.sock"; }

  /// A node in this process. Errors: as node::start()
  result<node> start_node(const std::string& id) const;
  /// A node in a process that plays a role, whose arguments are those of the node behind `more`. Errors: io
  result<testing::child> start_node_role(std::string_view name, const std::string& id,
                                         std::vector<std::string> more = {}) const;

  /// The error with the end of what the processes have logged.
  error with_log(const error& why) const;

 private:
  stage() = default;

  std::string folder_;
  std::unique_ptr<testing::zookeeper_server> server_;
  std::optional<local_authority> authority_;
};

/// In a role: the node that its arguments describe, or an exit status.
result<node> start_node(const std::vector<std::string>& arguments);

/// For roles: says on stderr, which is the log, what went wrong. \returns the exit status
int failed(const error& why);

}  // namespace flock::bench
