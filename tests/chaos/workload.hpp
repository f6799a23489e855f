#pragma once

#include "tests/chaos/choices.hpp"
#include "tests/chaos/history.hpp"
#include <flock/clock.hpp>

#include <atomic>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace flock::chaos {

/// Notifications without a pause: from every node to every node, itself included, each sender on a thread of its own
/// through its flockd's control API, to execute resources whose commands write the notification's id to a file.
class workload {
 public:
  struct options {
    std::vector<std::string> nodes;
    std::map<std::string, std::string> sockets;  ///< by node
    std::string folder;                          ///< where the commands write
    milliseconds pace{40};                       ///< between two notifications of one sender
    /// A sender waits while it knows of as many that have not ended: a resource lets 1,000 wait, and what piles up
    /// while a node is away has to be worked off in the end.
    int most_open = 200;
  };

  /// What a node's resource file has to hold: one command that is quick, and one that is slow enough to be caught
  /// half-way by a fault.
  static std::string resources(const std::string& folder, const std::string& node);

  workload(options o, choices& chance);
  ~workload();
  workload(const workload&) = delete;
  workload& operator=(const workload&) = delete;

  /// No more are sent when this returns.
  void stop();

  std::size_t accepted() const { return accepted_count_; }
  /// How often a request was refused or not answered; `what` is told of the last one.
  std::size_t refused() const { return refused_count_; }
  std::string last_refusal() const;

  /// After stop(): what was accepted, and what the commands wrote.
  history take() const;

 private:
  struct sender;

  void send(sender& s);
  void keep(const std::string& from, const std::string& resource, const std::string& reply);
  void refuse(const std::string& why);

  const options options_;
  std::atomic<bool> stopping_{false};
  std::atomic<std::size_t> accepted_count_{0};
  std::atomic<std::size_t> refused_count_{0};
  mutable std::mutex mutex_;  // guards the next two
  std::vector<accepted_notification> accepted_;
  std::string last_refusal_;
  std::vector<std::thread> threads_;
};

}  // namespace flock::chaos
