#pragma once

#include <flock/clock.hpp>
#include <flock/error.hpp>
#include <flock/inbox.hpp>
#include <flock/ledger.hpp>
#include <flock/message.hpp>
#include <flock/notification.hpp>
#include <flock/outbox.hpp>
#include <flock/runtime.hpp>
#include <flock/storage.hpp>
#include <flock/transport.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace flock {

/// Delivers notifications and brings their receipts back: drives outbox, inbox and ledger, writes their records to
/// storage and their batches to the transport. Lives in one mailbox.
///
/// A frame leaves while its record is being written; its sender is told "accepted by the journal" when the record is
/// durable. The receiver performs at once, too, and acknowledges when its own record is durable.
class courier {
 public:
  struct options {
    outbox::options out;
    ledger::options keep;
  };

  /// What the courier asks of its node. All called in the courier's mailbox.
  class host {
   public:
    virtual ~host() = default;

    /// Whether a notification that arrived may be performed at all: its sender is admitted, and the actor and action
    /// exist. If not, its receipt is failed with this error, and it was never accepted.
    virtual result<void> admit(const notification& n) = 0;
    /// Performs a notification that was admitted: call `started` when its turn has come, `done` when it has ended; each
    /// once, from any thread. Policy is the host's business.
    virtual void perform(const notification& n, std::function<void()> started,
                         std::function<void(result<value>)> done) = 0;
    /// There is something for this node: see to it that it gets connected.
    virtual void want_connection(const node_id& to) = 0;
    /// A notification moved to another state.
    virtual void progressed(const notification_record& r) = 0;
  };

  courier(node_id self, std::shared_ptr<mailbox> home, const clock& time, transport& network, storage& disk, host& of,
          options o);

  /// Reads back what storage kept.
  result<void> restore();

  /// Takes a notification to any node, this one included. `taken` is called once it is durable here, in the courier's
  /// mailbox. Errors: io, refused (its chain of causes goes round or is too long; its time has passed)
  void submit(notification n, std::function<void(result<void>)> taken);

  /// Cancels one that was not sent yet. Errors: not_found, refused (it is on its way or settled)
  result<void> cancel(std::string_view id);

  // What the transport reports.
  void connected(const hello& peer);
  void disconnected(const hello& peer);
  void received(const hello& from, const message& m);

  /// Lets time pass: expires what is overdue, forgets what is old.
  void tick();

  const ledger& records() const { return ledger_; }
  std::size_t outbox_depth() const { return outbox_.depth(); }
  std::size_t outbox_depth(const node_id& to) const { return outbox_.depth(to); }
  /// The nodes for which something waits.
  std::vector<node_id> receivers() const { return outbox_.receivers(); }
  /// When the oldest notification that still waits to be acknowledged was made.
  std::optional<wall_time> oldest_waiting() const;

 private:
  void send_due(const node_id& to);
  void take(const node_id& from, const batch::item& item);
  void perform(const notification& n);
  void report(const notification& n, receipt r);
  void acknowledge(const node_id& to, const std::string& channel);

  node_id self_;
  std::shared_ptr<mailbox> home_;
  const clock& time_;
  transport& network_;
  storage& disk_;
  host& host_;
  outbox outbox_;
  inbox inbox_;
  ledger ledger_;
};

}  // namespace flock
