#include "tests/support/notifications.hpp"
#include "tests/support/post_office.hpp"
#include <flock/courier.hpp>

#include <doctest/doctest.h>

// What a courier does about records that its storage found damaged.

namespace {

using namespace flock;
using namespace std::chrono_literals;
using flock::testing::make_notification;
using flock::testing::manual_clock;
using flock::testing::manual_runtime;
using flock::testing::manual_storage;
using flock::testing::memory_network;
using flock::testing::node;
using flock::testing::post_office;
using enum receipt_state;

const auto sender_id = node("bender0");
const auto receiver_id = node("bender1");

/// A sender and a receiver whose disks lose a record while they are down.
struct damage_fixture {
  manual_clock time;
  manual_runtime threads{time};
  memory_network network{threads, time};
  manual_storage sender_disk{"journal0"};
  manual_storage receiver_disk{"journal1"};
  std::uint64_t lives = 0;
  std::unique_ptr<post_office> sender = start(sender_id, sender_disk);
  std::unique_ptr<post_office> receiver = start(receiver_id, receiver_disk);

  std::unique_ptr<post_office> start(const node_id& id, manual_storage& disk) {
    auto office = std::make_unique<post_office>(id, ++lives, post_office::seams{threads, time, network}, disk);
    threads.run_ready();
    return office;
  }
  void submit(const std::string& id) {
    sender->submit(make_notification(id));
    threads.run_ready();
  }

  /// The only record with this prefix is damaged.
  static void damage(manual_storage& disk, const std::string& prefix) {
    const auto keys = disk.keys(prefix);
    REQUIRE(keys.size() == 1);
    disk.damage(keys.front());
  }
  /// \returns what was said about the repair
  std::vector<std::string> start_sender() {
    sender = start(sender_id, sender_disk);
    sender_disk.forget_damage();
    return sender->mail().repairs();
  }
  std::vector<std::string> start_receiver() {
    receiver = start(receiver_id, receiver_disk);
    receiver_disk.forget_damage();
    return receiver->mail().repairs();
  }
  void pass(milliseconds by) {
    threads.advance(by);
    if (sender) sender->tick();
    if (receiver) receiver->tick();
    threads.run_ready();
  }
  const notification_record& record(const std::string& id) { return *sender->mail().records().find(id); }
};

}  // namespace

TEST_CASE_FIXTURE(damage_fixture, "without damage nothing is repaired") {
  submit("a");
  sender.reset();
  receiver.reset();

  CHECK(start_sender().empty());
  CHECK(start_receiver().empty());
}

TEST_CASE_FIXTURE(damage_fixture, "a notification that was damaged at its receiver is sent once more, and marked") {
  submit("a");
  receiver->start();
  CHECK(sender->state("a") == started);
  receiver.reset();
  damage(receiver_disk, "n/");

  const auto said = start_receiver();
  REQUIRE(said.size() == 1);
  CHECK(said.front() == "the record of notification a was damaged: bender0 is asked to send it again");
  pass(1s);
  REQUIRE(receiver->jobs.size() == 1);
  receiver->perform_at_once();
  pass(1s);

  CHECK(sender->state("a") == succeeded);
  CHECK(record("a").redelivered());
  CHECK(receiver_disk.records("w/") == 0);
  CHECK(sender_disk.records("o/") == 0);
}

TEST_CASE_FIXTURE(damage_fixture, "a notification that was damaged before it was acknowledged is sent once more") {
  submit("connects");
  network.cut(receiver_id, sender_id);
  submit("a");
  REQUIRE(sender->mail().outbox_depth() == 1);
  receiver.reset();
  network.heal();
  receiver_disk.damage("n/a");

  start_receiver();
  receiver->perform_at_once();
  pass(1s);
  pass(1s);

  CHECK(sender->state("a") == succeeded);
  CHECK(record("a").redelivered());
}

TEST_CASE_FIXTURE(damage_fixture, "one that is damaged at its sender before it was sent is lost, and that is said") {
  receiver.reset();
  submit("a");
  submit("b");
  sender.reset();
  sender_disk.damage("n/a");

  const auto said = start_sender();
  REQUIRE(said.size() == 1);
  CHECK(said.front() == "the notification a to bender1 is lost: its record was damaged");
  start_receiver();
  receiver->perform_at_once();
  pass(1s);

  CHECK(sender->state("a") == std::nullopt);
  CHECK(sender->state("b") == succeeded);
  CHECK(sender_disk.records("o/") == 0);
}

TEST_CASE_FIXTURE(damage_fixture, "a place in the queue that is damaged is made anew") {
  receiver.reset();
  submit("a");
  sender.reset();
  damage(sender_disk, "o/");

  start_sender();
  start_receiver();
  receiver->perform_at_once();
  pass(1s);

  CHECK(sender->state("a") == succeeded);
  CHECK(record("a").redelivered());  // it cannot be known that it never arrived
}

TEST_CASE_FIXTURE(damage_fixture, "what was lost with its key is missed by every channel") {
  receiver.reset();
  submit("a");
  sender.reset();
  damage(sender_disk, "o/");
  sender_disk.forget_damage();
  sender_disk.damage("");

  start_sender();
  start_receiver();
  receiver->perform_at_once();
  pass(1s);

  CHECK(sender->state("a") == succeeded);
}

TEST_CASE_FIXTURE(damage_fixture, "what may have been sent before the damage is neither cancelled nor called expired") {
  receiver.reset();
  submit("a");
  sender.reset();
  damage(sender_disk, "o/");
  start_sender();

  std::optional<result<void>> cancelled;
  sender->mail().cancel("a", [&](result<void> how) { cancelled = std::move(how); });
  REQUIRE(cancelled);
  CHECK(cancelled->error().code == error_code::refused);
  pass(25h);

  CHECK(sender->state("a") == unknown);
}

TEST_CASE_FIXTURE(damage_fixture, "what is cancelled while the damage is made up for is not sent once more") {
  receiver.reset();
  submit("a");
  sender.reset();
  damage(sender_disk, "o/");
  sender_disk.hold();
  sender = std::make_unique<post_office>(sender_id, ++lives, post_office::seams{threads, time, network}, sender_disk);
  sender->mail().submit(make_notification("b"), [](const result<void>&) {});
  sender->mail().cancel("b", [](const result<void>&) {});

  threads.run_ready();  // it is not durable yet that it is cancelled
  sender_disk.release();
  start_receiver();
  receiver->perform_at_once();
  pass(1s);

  CHECK(sender->state("a") == succeeded);
  CHECK(sender->state("b") == cancelled);
  CHECK(receiver->state("b") == std::nullopt);
}

TEST_CASE_FIXTURE(damage_fixture, "a receipt that is damaged on its way back is sent once more") {
  submit("a");
  receiver->start();
  sender.reset();
  receiver->dials = false;
  receiver->finish();
  receiver.reset();
  damage(receiver_disk, "o/");

  start_receiver();
  start_sender();
  pass(1s);

  CHECK(sender->state("a") == succeeded);
  CHECK_FALSE(record("a").redelivered());
}

TEST_CASE_FIXTURE(damage_fixture, "work whose record is damaged is performed once more, and marked") {
  submit("a");
  receiver->start();
  receiver.reset();
  damage(receiver_disk, "w/");

  CHECK(start_receiver().size() == 1);
  REQUIRE(receiver->jobs.size() == 1);
  CHECK(receiver_disk.records("w/") == 1);
  receiver->perform_at_once();
  pass(1s);

  CHECK(sender->state("a") == succeeded);
  CHECK(record("a").redelivered());
  CHECK(receiver_disk.records("w/") == 0);
}

TEST_CASE_FIXTURE(damage_fixture,
                  "a receiver that does not know any more how far it was knows what it took by its ids") {
  submit("a");
  receiver->start();
  receiver->finish();
  threads.run_ready();
  receiver.reset();
  damage(receiver_disk, "i/");

  start_receiver();
  submit("b");
  pass(1s);

  REQUIRE(receiver->jobs.size() == 1);
  CHECK(receiver->jobs.front().what.id == "b");
  CHECK(sender->state("a") == succeeded);
}

TEST_CASE_FIXTURE(damage_fixture,
                  "a sender that does not know any more which numbers it gave gives none of them again") {
  submit("a");
  submit("b");
  sender.reset();
  damage(sender_disk, "c/");

  const auto said = start_sender();
  REQUIRE(said.size() == 1);
  CHECK(said.front().starts_with("the state of the channel to bender1 was damaged: its numbers go on from "));
  submit("c");
  pass(1s);
  CHECK(receiver->jobs.size() == 3);

  sender.reset();
  CHECK(start_sender().empty());
  submit("d");
  pass(1s);
  CHECK(receiver->jobs.size() == 4);
}
