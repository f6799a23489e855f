#pragma once

#include "libflock/seams/registry.hpp"
#include <flock/error.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

namespace flock::bench {

/// Many sessions with one ZooKeeper server on the loopback, on one thread: to the server they are as many nodes. The
/// real client has two threads and five descriptors for each, which ten thousand of them would not fit into a process.
/// They ask for what the real one asks for, but have no answer to faults: a connection that breaks stays broken.
class session_crowd {
 public:
  /// What was asked of the server, without signs of life.
  struct counts {
    std::uint64_t operations = 0;
    std::uint64_t bytes = 0;  ///< both ways
    std::uint64_t watch_events = 0;

    friend counts operator-(const counts& a, const counts& b) {
      return {a.operations - b.operations, a.bytes - b.bytes, a.watch_events - b.watch_events};
    }
    friend bool operator==(const counts&, const counts&) = default;
  };

  explicit session_crowd(int port);
  ~session_crowd();
  session_crowd(const session_crowd&) = delete;
  session_crowd& operator=(const session_crowd&) = delete;

  /// A session below a root, which must be there. It goes before the crowd does.
  std::unique_ptr<registry> make_session(const std::string& root);

  counts so_far() const;
  /// That a connection broke, if one did.
  bool has_broken() const;

 private:
  class session;
  struct loop;

  std::unique_ptr<loop> loop_;
};

}  // namespace flock::bench
