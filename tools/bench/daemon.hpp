#pragma once

#include "tools/bench/stage.hpp"
#include "tools/bench/stopwatch.hpp"
#include "tools/cluster/child.hpp"
#include <flock/error.hpp>
#include <flock/node.hpp>

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace flock::bench {

using instant = stopwatch::clock::time_point;

/// A flockd, which tells this program when it is ready, as it tells a service manager.
class daemon_process {
 public:
  /// Without waiting for it. \param registry  another one than the stage's, if not empty. Errors: io
  static result<daemon_process> start(const stage& on, const std::string& id, const std::string& registry = {});
  daemon_process(daemon_process&& other) noexcept;
  daemon_process& operator=(daemon_process&& other) = delete;
  ~daemon_process();

  /// Blocks until it is ready. Errors: down (it ended; with its log), timeout
  result<void> wait_until_ready();
  /// Just before its process was made.
  instant begin() const { return begin_; }
  testing::child& process() { return *process_; }

 private:
  daemon_process() = default;

  const stage* on_ = nullptr;
  std::string id_;
  int ready_ = -1;  ///< the socket that it tells
  instant begin_{};
  std::optional<testing::child> process_;
};

/// A node in this process that watches all others, and remembers when it was told what of them.
class observer {
 public:
  /// Errors: as node::start()
  static result<std::unique_ptr<observer>> start(const stage& on, const std::string& id);
  ~observer();

  flock::node& node() { return node_; }
  /// Blocks until it was told, or had been before. \param type  of the event: "joined", "suspect", "failed", "left"
  /// Errors: timeout
  result<instant> told(const std::string& type, const std::string& of, milliseconds patience);
  /// Connects with a node, as a first call does. Errors: those of a call
  result<void> connect(const std::string& with);

 private:
  explicit observer(flock::node n) : node_(std::move(n)) {}
  void follow();

  flock::node node_;
  std::mutex mutex_;  // guards all below
  std::condition_variable news_;
  std::map<std::pair<std::string, std::string>, instant> first_;  ///< by event and node
};

}  // namespace flock::bench
