#pragma once

#include "libflock/seams/registry.hpp"
#include "libflock/seams/runtime.hpp"

#include <memory>
#include <string>

namespace flock {

/// The tree that memory registries of one process share: what ZooKeeper's servers are to its clients.
class memory_tree;

std::shared_ptr<memory_tree> make_memory_tree();

/// The servers lose their data: every entry goes. For tests; the sessions of all clients must be expired, too.
void wipe(memory_tree& tree);

/// A registry within this process: for `memory:`, for tests and for the simulator. Answers and reports are posted to a
/// mailbox, so they come later, as with a real one. Containers vanish with their last child. Safe for threads.
class memory_registry final : public registry {
 public:
  memory_registry(std::shared_ptr<memory_tree> tree, std::shared_ptr<mailbox> turn);
  ~memory_registry() override;

  void start(listener& to) override;
  void create(const std::string& path, std::string data, kind k, answer<registry_entry> done) override;
  void get(const std::string& path, bool watch, answer<registry_entry> done) override;
  void children(const std::string& path, bool watch, answer<registry_list> done) override;
  void set(const std::string& path, std::string data, std::int64_t version, answer<registry_entry> done) override;
  void remove(const std::string& path, std::int64_t version, answer<void> done) override;
  statistics stats() const override;
  void stop() override;

  // Faults, for tests. Answers that are under way are lost: session_lost to a reader, maybe_done to who changed
  // something.

  /// The connection goes; the session lives. Before start(): there is none to begin with.
  void suspend();
  void resume();
  /// The session ends; a new one begins at once, or at resume() when suspended.
  void expire();
  /// Like expire(), but only for this client: the servers keep the session, and with it its ephemeral entries, until
  /// they are told. So it is with the session of a process that was killed, too.
  void abandon();
  void end_abandoned();

 private:
  struct client;
  std::shared_ptr<client> client_;
};

}  // namespace flock
