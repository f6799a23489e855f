#include "tests/support/two_post_offices.hpp"

#include <doctest/doctest.h>

// What happens when time passes: expiry, what nobody can tell any more, and what is forgotten.

namespace {

using namespace flock;
using namespace std::chrono_literals;
using namespace flock::testing;
using enum receipt_state;

}  // namespace

TEST_CASE_FIXTURE(two_post_offices, "what was never sent expires when its time has passed") {
  start_sender();
  submit(expiring("a", 1000));
  submit("b");

  pass(999ms);
  CHECK(sender->state("a") == queued);
  pass(1ms);
  CHECK(sender->state("a") == expired);
  CHECK(record("a").last().why->code == error_code::timeout);

  start_receiver();
  pass(10s);
  REQUIRE(receiver->jobs.size() == 1);
  CHECK(receiver->jobs[0].what.id == "b");
  CHECK(sender_disk.records("o/") == 0);
}

TEST_CASE_FIXTURE(two_post_offices, "what was never sent expires also after its sender came back") {
  start_sender();
  submit(expiring("a", 1000));

  start_sender();
  pass(1s);

  CHECK(sender->state("a") == expired);
}

TEST_CASE_FIXTURE(two_post_offices, "what was on its way and did not arrive in time is the receiver's to expire") {
  start_both();
  submit("first");
  network.cut(sender_id, receiver_id);
  submit(expiring("a", 1000));
  pass(2s);
  CHECK(sender->state("a") == queued);

  network.heal();
  pass(1s);

  CHECK(sender->state("a") == expired);
  CHECK(receiver->jobs.size() == 1);
}

TEST_CASE_FIXTURE(two_post_offices, "what did not get its turn in time is expired") {
  start_both();
  submit(expiring("a", 1000));

  pass(2s);
  CHECK(sender->state("a") == accepted);
  receiver->finish(error{error_code::timeout, "its turn came too late"});

  CHECK(sender->state("a") == expired);
}

TEST_CASE_FIXTURE(two_post_offices, "an action that takes too long has failed, not expired") {
  start_both();
  submit("a");

  receiver->start();
  receiver->finish(error{error_code::timeout, "killed after 2 m"});

  CHECK(sender->state("a") == failed);
}

TEST_CASE_FIXTURE(two_post_offices, "what may have been done by a receiver that is gone is unknown after the grace") {
  start_both();
  submit(expiring("a", 1000));
  receiver->start();
  receiver.reset();

  pass(60s);
  CHECK(sender->state("a") == started);
  pass(1s);
  CHECK(sender->state("a") == unknown);
  CHECK(record("a").last().why->code == error_code::maybe_done);

  start_receiver();
  pass(10s);
  CHECK(receiver->state("a") == unknown);
  CHECK(sender->state("a") == unknown);
  CHECK(sender_disk.records("o/") == 0);
}

TEST_CASE_FIXTURE(two_post_offices, "a receiver that is there may take its time") {
  start_both();
  submit(expiring("a", 1000));
  receiver->start();

  pass(24h);
  CHECK(sender->state("a") == started);
  receiver->finish();

  CHECK(sender->state("a") == succeeded);
}

TEST_CASE_FIXTURE(two_post_offices, "nothing is waited for for ever, and its receipts are not kept for ever") {
  start_both();
  submit(expiring("a", 1000));
  receiver->start();
  catch_up();
  sender.reset();
  receiver->dials = false;
  receiver->finish();
  CHECK(receiver->mail().outbox_depth() == 1);

  pass(milliseconds(options.give_up) + 1s);

  CHECK(receiver->mail().outbox_depth() == 0);
  CHECK(receiver_disk.records("o/") == 0);
  start_sender();
  pass(0ms);
  CHECK(sender->state("a") == unknown);
}

TEST_CASE_FIXTURE(two_post_offices, "what is old is forgotten, on disk too") {
  options.keep.keep = 1;
  start_both();
  receiver->perform_at_once();
  submit("a");
  submit("b");

  pass(1s);

  CHECK_FALSE(sender->state("a"));
  CHECK(sender->state("b") == succeeded);
  CHECK(sender_disk.records("n/") == 1);
  CHECK(receiver_disk.records("n/") == 1);
}
