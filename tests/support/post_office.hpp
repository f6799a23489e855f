#pragma once

#include "libflock/delivery/courier.hpp"
#include "tools/sim/manual_clock.hpp"
#include "tools/sim/manual_runtime.hpp"
#include "tools/sim/manual_storage.hpp"
#include "tools/sim/memory_network.hpp"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace flock::testing {

/// One life of a node that has a courier and nothing else. Its actors perform when a test says so.
class post_office final : private courier::host, private transport::listener {
 public:
  struct seams {
    manual_runtime& threads;
    manual_clock& time;
    memory_network& network;
  };
  /// An action that was handed over.
  struct job {
    notification what;
    std::function<bool()> starts;
    std::function<void(result<value>)> done;
  };

  post_office(const node_id& id, std::uint64_t life, seams s, manual_storage& disk, courier::options o = {});
  /// A crash: what is not durable is lost.
  ~post_office() override;

  courier& mail() { return courier_; }
  std::uint64_t life() const { return self_.life.low; }

  /// A case fails if a part of it is not whole; also when it crashes.
  void check() const;

  /// Runs all that is due.
  void settle() { seams_.threads.run_ready(); }

  /// What a node's timer does: lets the courier's time pass, and dials those for whom something waits.
  void tick();

  /// Ends the turn and writes what it gathered.
  void close_turn() { scribe_.close(); }

  /// Submits, and remembers how it was taken.
  void submit(notification n);
  std::optional<result<void>> taken(const std::string& id) const;

  /// What waits for its turn, in the order in which it was handed over.
  std::deque<job> jobs;
  /// Begins, and ends, the first job. \returns whether it was to begin; if not, it went back
  bool start();
  void finish(result<value> how = value("done"));
  /// From now on each job is performed at once.
  void perform_at_once();

  std::set<std::string> unknown_actors;
  std::vector<std::string> progress;  ///< "id state"
  std::set<node_id> wanted;
  bool dials = true;

  /// Where a notification is here; nothing if it is not known.
  std::optional<receipt_state> state(const std::string& id) const;

 private:
  result<void> admit(const notification& n) override;
  void perform(const notification& n, std::function<bool()> starts, std::function<void(result<value>)> done) override;
  void want_connection(const node_id& to) override;
  void moves(const notification&, const receipt&) override {}
  void progressed(const notification_record& r) override;

  void connected(const hello& peer) override;
  void received(const hello& from, message m) override;
  void disconnected(const hello& peer, const error& why) override;
  void dial_failed(const node_id&, dial_failure, const error&) override {}

  seams seams_;
  manual_storage& disk_;
  hello self_;
  std::shared_ptr<mailbox> home_;
  std::unique_ptr<transport> transport_;
  scribe scribe_;
  courier courier_;
  std::map<std::string, result<void>> taken_;
  bool at_once_ = false;
};

}  // namespace flock::testing
