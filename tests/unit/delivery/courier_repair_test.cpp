#include "tests/support/two_post_offices.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

// What a courier does about records that its storage found damaged.

namespace {

using namespace flock;
using namespace std::chrono_literals;
using namespace flock::testing;
using enum receipt_state;

/// Both lose a record while they are down.
struct damage_fixture : two_post_offices {
  damage_fixture() { start_both(); }

  /// The only record with this prefix is damaged.
  static void damage(manual_storage& disk, const std::string& prefix) {
    const auto keys = disk.keys(prefix);
    REQUIRE(keys.size() == 1);
    disk.damage(keys.front());
  }
  /// \returns what was said about the repair
  std::vector<std::string> repaired_sender() {
    start_sender();
    sender_disk.forget_damage();
    return sender->mail().repairs();
  }
  std::vector<std::string> repaired_receiver() {
    start_receiver();
    receiver_disk.forget_damage();
    return receiver->mail().repairs();
  }
};

}  // namespace

TEST_CASE_FIXTURE(damage_fixture, "without damage nothing is repaired") {
  submit("a");
  sender.reset();
  receiver.reset();

  CHECK(repaired_sender().empty());
  CHECK(repaired_receiver().empty());
}

TEST_CASE_FIXTURE(damage_fixture, "a notification that was damaged at its receiver is sent once more, and marked") {
  submit("a");
  receiver->start();
  CHECK(sender->state("a") == started);
  receiver.reset();
  damage(receiver_disk, "n/");

  const auto said = repaired_receiver();
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

TEST_CASE_FIXTURE(damage_fixture,
                  "what is done about damage is in the first write: after it, nobody tells of it again") {
  submit("a");
  receiver.reset();
  damage(receiver_disk, "n/");

  receiver_disk.hold();
  start_receiver();
  receiver_disk.sync_one();
  receiver.reset();
  receiver_disk.release();
  receiver_disk.forget_damage();
  start_receiver();
  pass(1s);

  REQUIRE(receiver->jobs.size() == 1);
  receiver->perform_at_once();
  pass(1s);
  CHECK(sender->state("a") == succeeded);
}

TEST_CASE_FIXTURE(damage_fixture, "a notification that was damaged before it was acknowledged is sent once more") {
  submit("connects");
  network.cut(receiver_id, sender_id);
  submit("a");
  REQUIRE(sender->mail().outbox_depth() == 1);
  receiver.reset();
  network.heal();
  receiver_disk.damage("n/a");

  repaired_receiver();
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

  const auto said = repaired_sender();
  REQUIRE(said.size() == 1);
  CHECK(said.front() == "the notification a to bender1 is lost: its record was damaged");
  repaired_receiver();
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

  repaired_sender();
  repaired_receiver();
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

  repaired_sender();
  repaired_receiver();
  receiver->perform_at_once();
  pass(1s);

  CHECK(sender->state("a") == succeeded);
}

TEST_CASE_FIXTURE(damage_fixture, "what may have been sent before the damage is neither cancelled nor called expired") {
  receiver.reset();
  submit("a");
  sender.reset();
  damage(sender_disk, "o/");
  repaired_sender();

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
  sender = opened(sender_id, sender_disk);
  sender->mail().submit(make_notification("b"), [](const result<void>&) {});
  sender->mail().cancel("b", [](const result<void>&) {});

  settle();  // it is not durable yet that it is cancelled
  sender_disk.release();
  repaired_receiver();
  receiver->perform_at_once();
  pass(1s);

  CHECK(sender->state("a") == succeeded);
  CHECK(sender->state("b") == cancelled);
  CHECK(receiver->state("b") == std::nullopt);
}

TEST_CASE_FIXTURE(damage_fixture, "a receipt that is damaged on its way back is sent once more") {
  submit("a");
  receiver->start();
  catch_up();
  sender.reset();
  receiver->dials = false;
  receiver->finish();
  receiver.reset();
  damage(receiver_disk, "o/");

  repaired_receiver();
  repaired_sender();
  pass(1s);

  CHECK(sender->state("a") == succeeded);
  CHECK_FALSE(record("a").redelivered());
}

TEST_CASE_FIXTURE(damage_fixture, "work whose record is damaged is performed once more, and marked") {
  submit("a");
  receiver->start();
  receiver.reset();
  damage(receiver_disk, "w/");

  CHECK(repaired_receiver().size() == 1);
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
  settle();
  receiver.reset();
  damage(receiver_disk, "i/");

  repaired_receiver();
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

  const auto said = repaired_sender();
  REQUIRE(said.size() == 1);
  CHECK(said.front().starts_with("the state of the channel to bender1 was damaged: its numbers go on from "));
  submit("c");
  pass(1s);
  CHECK(receiver->jobs.size() == 3);

  sender.reset();
  CHECK(repaired_sender().empty());
  submit("d");
  pass(1s);
  CHECK(receiver->jobs.size() == 4);
}

// What cannot be read is made up for like what is damaged; that no input makes such a record is another matter.
TEST_CASE_FIXTURE(damage_fixture, "a record that cannot be read is set aside and named, and the node starts") {
  submit("a");
  receiver.reset();
  const auto garble = [&](const std::string& prefix) {
    const auto keys = receiver_disk.keys(prefix);
    REQUIRE(keys.size() == 1);
    receiver_disk.write({{keys.front(), std::string("\x2a no value")}}, [](const result<void>&) {});
    return keys.front();
  };
  std::string key;
  SUBCASE("what arrived") { key = garble("n/"); }
  SUBCASE("how far its sender's channel is") { key = garble("i/"); }
  SUBCASE("the work that has not ended") { key = garble("w/"); }
  SUBCASE("the state of its own channel") { key = garble("c/"); }

  const auto said = repaired_receiver();
  catch_up();
  REQUIRE(receiver->jobs.size() == 1);
  receiver->start();
  receiver->finish();
  catch_up();

  REQUIRE_FALSE(said.empty());
  CHECK(said.front().starts_with("the record " + key + " cannot be read ("));
  CHECK(said.front().ends_with("): it was set aside as x/" + key));
  CHECK(receiver_disk.keys("x/") == std::vector<std::string>{"x/" + key});
  CHECK(sender->state("a") == succeeded);
}

TEST_CASE_FIXTURE(damage_fixture, "what was taken is read back, however large it is") {
  auto large = make_notification("a");
  large.arguments = {std::string(500 * 1024, 'x')};
  submit(large);
  receiver->start();
  receiver->finish(value(std::string(500 * 1024, 'y')));
  catch_up();
  receiver.reset();

  CHECK(repaired_receiver().empty());
  CHECK(repaired_sender().empty());
  CHECK(receiver->state("a") == succeeded);
  CHECK(sender->state("a") == succeeded);
}
