#pragma once

#include "tools/cluster/zookeeper_server.hpp"

#include <cstdint>
#include <string>

namespace flock::testing {

/// A ZooKeeper server for one test program, in a temporary folder; both go with the object.
class private_zookeeper {
 public:
  /// Serves when this returns. Throws std::runtime_error if it cannot.
  private_zookeeper();
  ~private_zookeeper();
  private_zookeeper(const private_zookeeper&) = delete;
  private_zookeeper& operator=(const private_zookeeper&) = delete;

  std::string address() const { return server_.address(); }
  void kill() { server_.kill(); }
  /// Serves again when this returns.
  void restart();
  void pause() { server_.pause(); }
  void resume() { server_.resume(); }

  /// The server ends the session; its client notices at its next contact.
  void expire(std::uint64_t session);

 private:
  std::string folder_;
  zookeeper_server server_;
};

}  // namespace flock::testing
