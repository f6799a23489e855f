#pragma once

#include "tests/support/temporary_folder.hpp"
#include "tools/cluster/zookeeper_server.hpp"

#include <cstdint>
#include <string>

namespace flock::testing {

/// A ZooKeeper server for one test program, in a temporary folder; both go with the object.
class private_zookeeper {
 public:
  /// Serves when this returns. Throws std::runtime_error if it cannot.
  private_zookeeper();

  std::string address() const { return server_.address(); }
  void kill() { server_.kill(); }
  /// Serves again when this returns.
  void restart();
  /// After kill(): it has lost all that it had stored.
  void wipe();
  void pause() { server_.pause(); }
  void resume() { server_.resume(); }

  /// The server has ended the session when this returns. Its client is told when it connects again, or notices after
  /// its time-out that nothing is answered.
  void expire(std::uint64_t session);

 private:
  temporary_folder folder_;
  zookeeper_server server_;
};

}  // namespace flock::testing
