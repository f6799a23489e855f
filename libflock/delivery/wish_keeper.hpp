#pragma once

#include "libflock/delivery/notifier.hpp"
#include "libflock/seams/runtime.hpp"
#include "libflock/seams/storage.hpp"
#include "libflock/words/subscriptions.hpp"
#include <flock/error.hpp>
#include <flock/name.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace flock {

/// Keeps what subscribers wish of this node, so that it knows them after a restart, and asks them again when they
/// connect: another life of one may wish nothing any more, and would not think of saying so. The notifier is told all
/// of it. Lives in one mailbox, which is closed before this goes.
///
/// Stored: under s/<subscriber>, the list of its wishes in binary form.
class wish_keeper {
 public:
  /// What it asks of its node. All in this mailbox, the answers too.
  struct host {
    /// All that a node wishes of this one.
    std::function<void(const node_id&, std::function<void(result<std::vector<wish>>)>)> ask_wishes;
    std::function<bool(const node_id&)> is_connected;
    std::function<void(std::function<void()>)> retry_soon;
    std::function<void(const std::string&)> warn;
  };

  wish_keeper(std::shared_ptr<mailbox> home, storage& disk, notifier& to, host of);

  /// Reads back what storage kept. A subscriber whose wishes cannot be read tells them again when it connects.
  /// Errors: io
  result<void> restore();

  /// All that a subscriber wishes from now on, and nothing else any more. `kept` is called when that is durable.
  /// Errors: refused (too many), io (the disk is full or broken)
  void take(const node_id& subscriber, std::vector<wish> wishes, std::function<void(result<void>)> kept);

  /// A node is connected now.
  void connected(const node_id& subscriber);

 private:
  const std::shared_ptr<mailbox> home_;
  storage& disk_;
  notifier& notifier_;
  host host_;
};

}  // namespace flock
