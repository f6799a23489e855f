#pragma once

#include "tests/support/notifications.hpp"
#include "tests/support/post_office.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace flock::testing {

inline const node_id sender_id = node("bender0");
inline const node_id receiver_id = node("bender1");

/// A sender and a receiver, each of which can be away, come back and lose its disk.
struct two_post_offices {
  manual_clock time;
  manual_runtime threads{time};
  memory_network network{threads, time};
  manual_storage sender_disk{"journal0"};
  manual_storage receiver_disk{"journal1"};
  courier::options options;
  std::uint64_t lives = 0;
  std::unique_ptr<post_office> sender;
  std::unique_ptr<post_office> receiver;

  post_office& start_sender() { return start_sender(sender_disk); }
  post_office& start_sender(manual_storage& disk) { return start(sender, sender_id, disk); }
  post_office& start_receiver() { return start_receiver(receiver_disk); }
  post_office& start_receiver(manual_storage& disk) { return start(receiver, receiver_id, disk); }
  void start_both() {
    start_sender();
    start_receiver();
  }

  void submit(const std::string& id) { submit(make_notification(id)); }
  void submit(const notification& n) {
    sender->submit(n);
    settle();
  }
  error refusal(const notification& n) {
    submit(n);
    auto taken = sender->taken(n.id);
    REQUIRE(taken);
    REQUIRE_FALSE(taken->has_value());
    return taken->error();
  }

  result<void> cancel(post_office& at, const std::string& id) {
    std::optional<result<void>> done;
    at.mail().cancel(id, [&](result<void> how) { done = std::move(how); });
    settle();
    REQUIRE(done);
    return *done;
  }

  void settle() {
    threads.run_ready();
    for (const auto* each : {sender.get(), receiver.get()})
      if (each) each->check();
  }
  /// A node's own timer, and those of the network.
  void pass(milliseconds by) {
    threads.advance(by);
    if (sender) sender->tick();
    if (receiver) receiver->tick();
    settle();
  }

  /// Until nothing is left to acknowledge, or to write of what was: that can wait for a tick each.
  void catch_up() {
    for (int i = 0; i < 2; ++i) pass(milliseconds(1000));
  }

  /// What the sender knows of it.
  const notification_record& record(const std::string& id) { return *sender->mail().records().find(id); }
  wall_time time_of(const std::string& id, receipt_state s) {
    for (const auto& r : record(id).receipts) {
      if (r.state == s) return r.at;
    }
    return {};
  }

  /// The next life of one of them, whose actors are not there yet: settle() brings them.
  std::unique_ptr<post_office> opened(const node_id& id, manual_storage& disk) {
    return std::make_unique<post_office>(id, ++lives, seams(), disk, options);
  }
  post_office::seams seams() { return {threads, time, network}; }

 private:
  post_office& start(std::unique_ptr<post_office>& which, const node_id& id, manual_storage& disk) {
    which.reset();  // before its next life reads the disk
    which = opened(id, disk);
    settle();
    return *which;
  }
};

}  // namespace flock::testing
