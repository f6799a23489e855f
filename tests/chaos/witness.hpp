#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace flock::chaos {

/// Listens to the events of all nodes, over their restarts, and remembers what they said of each other: no state that
/// is gone again when a test asks is missed.
class witness {
 public:
  /// \param sockets  by node
  explicit witness(const std::map<std::string, std::string>& sockets);
  ~witness();
  witness(const witness&) = delete;
  witness& operator=(const witness&) = delete;

  /// A node changed its mind of another one.
  struct word {
    std::string node;
    std::string type;  ///< of the event: joined, suspect, failed, left
    std::string peer;
  };
  std::vector<word> words() const;
  void forget();

 private:
  void listen(const std::string& node, const std::string& socket);
  void hear(const std::string& node, const std::string& event);

  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;  // guards the next one
  std::vector<word> words_;
  std::vector<std::thread> threads_;
};

}  // namespace flock::chaos
