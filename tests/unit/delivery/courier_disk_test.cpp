#include "tests/support/two_post_offices.hpp"

#include <doctest/doctest.h>

// What is told when, as records become durable late, or do not because the disk is full.

namespace {

using namespace flock;
using namespace std::chrono_literals;
using namespace flock::testing;
using enum receipt_state;

}  // namespace

TEST_CASE_FIXTURE(two_post_offices, "an action starts while the records of it are still being written") {
  start_both();
  submit("first");
  sender_disk.hold();
  receiver_disk.hold();

  submit("a");

  CHECK(receiver->jobs.size() == 2);
  CHECK_FALSE(sender->taken("a"));
  CHECK(sender->state("a") == queued);
  sender_disk.release();
  settle();
  CHECK(sender->taken("a") == result<void>());
  CHECK(sender->state("a") == queued);
  receiver_disk.release();
  settle();
  CHECK(sender->state("a") == accepted);
}

TEST_CASE_FIXTURE(two_post_offices, "a receipt leaves when its record is durable, not before") {
  start_both();
  submit("a");
  receiver_disk.hold();

  receiver->start();
  receiver->finish();

  CHECK(sender->state("a") == accepted);
  receiver_disk.release();
  settle();
  CHECK(sender->state("a") == succeeded);
}

TEST_CASE_FIXTURE(two_post_offices, "what a node concludes itself is shown when it is durable") {
  start_both();
  submit("a");
  receiver->start();
  auto far = make_notification("far");
  far.target = node("bender2");
  submit(far);
  sender_disk.hold();
  receiver_disk.hold();

  receiver->finish();
  bool said = false;
  sender->mail().cancel("far", [&](const result<void>&) { said = true; });
  settle();

  CHECK(receiver->state("a") == started);
  CHECK(sender->state("far") == queued);
  CHECK_FALSE(said);
  sender_disk.release();
  receiver_disk.release();
  settle();
  CHECK(receiver->state("a") == succeeded);
  CHECK(sender->state("far") == cancelled);
  CHECK(said);
}

TEST_CASE_FIXTURE(two_post_offices, "an end that a node is told of is shown when it is durable") {
  start_both();
  submit("a");
  receiver->start();
  sender_disk.hold();

  receiver->finish();
  pass(0ms);
  CHECK(sender->state("a") == started);

  sender.reset();  // it crashes before it was durable, and the receiver loses its storage
  receiver.reset();
  sender_disk.release();
  manual_storage new_disk("another journal");
  start_sender();
  CHECK(sender->state("a") == started);
  start_receiver(new_disk);
  submit("b");
  pass(1s);
  CHECK(sender->state("a") == unknown);
  receiver.reset();
}

TEST_CASE_FIXTURE(two_post_offices,
                  "a sender whose disk is full takes nothing, says why, and goes on when there is room") {
  start_both();
  submit("a");
  sender_disk.fill(true);

  const auto why = refusal(make_notification("b"));
  CHECK(why.code == error_code::io);
  CHECK(why.what.find("the disk is full") != std::string::npos);
  CHECK(receiver->jobs.size() == 1);

  sender_disk.fill(false);
  submit("b");
  CHECK(receiver->jobs.size() == 2);
}

TEST_CASE_FIXTURE(two_post_offices, "whoever waits when the disk becomes full is told that it may be done, and it is") {
  start_both();
  sender_disk.hold();
  submit("a");
  CHECK(receiver->jobs.size() == 0);  // the channel's first number is not durable yet

  sender_disk.fill(true);
  pass(1s);
  REQUIRE(sender->taken("a"));
  CHECK(sender->taken("a")->error().code == error_code::maybe_done);

  sender_disk.fill(false);
  sender_disk.release();
  settle();
  REQUIRE(receiver->jobs.size() == 1);
  receiver->perform_at_once();
  pass(1s);
  CHECK(sender->state("a") == succeeded);
}

TEST_CASE_FIXTURE(two_post_offices, "a cancellation is refused while the disk is full") {
  start_sender();
  submit("a");
  sender_disk.fill(true);

  std::optional<result<void>> cancelled;
  sender->mail().cancel("a", [&](result<void> how) { cancelled = std::move(how); });

  REQUIRE(cancelled);
  CHECK(cancelled->error().code == error_code::io);
  CHECK(sender->state("a") == queued);
}

TEST_CASE_FIXTURE(two_post_offices,
                  "a receiver whose disk is full takes nothing new, ends what it has, and is sent the rest later") {
  start_both();
  submit("first");
  receiver->start();
  receiver_disk.fill(true);
  submit("a");
  submit("b");
  receiver->finish();
  settle();
  CHECK(receiver->jobs.empty());
  CHECK(sender->state("first") == started);
  CHECK(sender->state("a") == queued);

  receiver_disk.fill(false);
  receiver->perform_at_once();
  settle();
  CHECK(sender->state("first") == succeeded);
  pass(11s);

  CHECK(sender->state("a") == succeeded);
  CHECK(sender->state("b") == succeeded);
}
