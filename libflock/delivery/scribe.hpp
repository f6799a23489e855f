#pragma once

#include "libflock/seams/runtime.hpp"
#include "libflock/seams/storage.hpp"
#include "libflock/values/invariant.hpp"
#include <flock/error.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace flock {

/// Gathers the records that the parts of a node change, and writes them together: each write costs a sync, however much
/// is in it. Lives in one mailbox, which is closed before the scribe goes.
///
/// What was gathered is written at the end of the turn. A turn goes on with the jobs that wait when it would end, once:
/// the end of a short action belongs to its beginning. While the disk is at work, what comes gathers for the next
/// write; only what somebody waits for is given to the disk already, so that it goes on with that, and takes along
/// whatever was gathered. So a quiet node does not wait, and a busy one spends its syncs on promises.
///
/// A write has everything that was gathered before it, and writes become durable in their order.
///
/// Holds between two turns, until close(), or the end of the storage:
/// - at most `writes` are under way
/// - what somebody waits for will be written: urgent_, or a then(), only when wanted_
/// - what is wanted will be: the end of the turn is posted, or the end of a write under way will post it
class scribe {
 public:
  struct options {
    std::size_t writes = 2;  ///< under way at once: one that the disk is at, and one for it to go on with
  };

  /// A part of the node whose records are written. Called in the scribe's mailbox.
  class listener {
   public:
    virtual ~listener() = default;

    /// The turn ends: what it has for others is to go now.
    virtual void turn_ends() {}
    /// Before each write: what it has not said yet is to be put, removed and waited for now.
    virtual void before_write() = 0;
    /// The storage was stopped: what waits will hear nothing. Whether it is durable is not known.
    virtual void not_written(const error&) {}
  };

  scribe(std::shared_ptr<mailbox> home, storage& disk, options o);

  /// The parts are called in the order in which they joined. For the start of a node.
  void join(listener& to) { listeners_.push_back(&to); }

  /// The latest change of a record counts. Without soon() it is written together with what is next.
  void put(std::string key, std::string data) { changes_.push_back({std::move(key), std::move(data)}); }
  void remove(std::string key) { changes_.push_back({std::move(key), std::nullopt}); }

  using durable = std::function<void()>;
  /// Calls it, in the scribe's mailbox, when all that was gathered so far is durable; in order.
  void then(durable f) { then_.push_back(std::move(f)); }

  /// A listener has something to do when the turn ends.
  void end_turn_soon();
  /// There is something to write, or a listener will have when it is asked: at the end of the turn.
  void soon();
  /// Somebody waits for what was gathered.
  void hurry() { urgent_ = true; }
  /// Ends the turn and writes what was gathered at once, for a node that is about to close the mailbox.
  void close();

  /// Whether a write is under way, or will be.
  bool is_busy() const { return wanted_ || under_way_ > 0; }
  bool will_write() const { return wanted_; }
  bool will_end_turn() const { return posted_; }

  broken check() const;

 private:
  void end_turn();
  void write();
  void written(const std::vector<durable>& then);
  void failed(const error& why);

  std::shared_ptr<mailbox> home_;
  storage& disk_;
  options options_;
  std::vector<listener*> listeners_;

  std::vector<record_change> changes_;  // in the order in which they came
  std::vector<durable> then_;
  bool wanted_ = false;  // since the last write
  bool urgent_ = false;
  bool posted_ = false;
  std::size_t under_way_ = 0;
  bool stopped_ = false;  // closed, or without a storage
};

}  // namespace flock
