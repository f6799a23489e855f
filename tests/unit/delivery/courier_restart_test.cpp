#include "tests/support/two_post_offices.hpp"

#include <doctest/doctest.h>

// What a courier does when its node, or the other one, comes back from a crash, with or without its storage.

namespace {

using namespace flock;
using namespace std::chrono_literals;
using namespace flock::testing;
using enum receipt_state;

}  // namespace

TEST_CASE_FIXTURE(two_post_offices, "a sender that comes back sends what was not acknowledged") {
  start_sender();
  submit("a");
  submit("b");

  start_sender();
  start_receiver();
  pass(10s);
  submit("c");
  pass(10s);
  receiver->perform_at_once();
  settle();

  CHECK(receiver->progress.size() == 9);
  for (const auto* id : {"a", "b", "c"}) {
    CHECK(sender->state(id) == succeeded);
    CHECK_FALSE(record(id).redelivered());
  }
}

TEST_CASE_FIXTURE(two_post_offices, "a sender that comes back hears how it ended") {
  start_both();
  submit("a");

  start_sender();
  pass(10s);
  receiver->start();
  receiver->finish();
  pass(10s);

  CHECK(sender->state("a") == succeeded);
  CHECK(record("a").attempts == 1);
}

TEST_CASE_FIXTURE(two_post_offices,
                  "what a crashed sender had sent but not kept is done, and its numbers are not used again") {
  start_both();
  submit("kept");
  sender_disk.hold();
  submit("lost");
  sender_disk.crash();

  sender_disk.release();
  start_sender();
  CHECK_FALSE(sender->state("lost"));
  submit("after");
  pass(10s);

  REQUIRE(receiver->jobs.size() == 3);
  CHECK(receiver->jobs[1].what.id == "lost");
  CHECK(receiver->jobs[2].what.id == "after");
}

TEST_CASE_FIXTURE(two_post_offices, "a receiver that crashes between start and end performs again, and says so") {
  start_both();
  submit("a");
  submit("b");
  receiver->start();

  start_receiver();
  pass(10s);

  REQUIRE(receiver->jobs.size() == 2);
  CHECK(receiver->jobs[0].what.id == "a");
  receiver->start();
  receiver->finish();
  pass(10s);
  CHECK(sender->state("a") == succeeded);
  CHECK(record("a").attempts == 2);
  CHECK(record("a").redelivered());
  CHECK(receiver->mail().records().find("a")->attempts == 2);
}

TEST_CASE_FIXTURE(two_post_offices, "what is begun once more, as who had it is gone, is marked and counted") {
  start_both();
  submit("a");
  receiver->start();
  CHECK_FALSE(receiver->mail().records().find("a")->redelivered());

  receiver->start();
  pass(10s);

  CHECK(record("a").attempts == 2);
  CHECK(record("a").redelivered());
  receiver->finish();
  pass(10s);
  CHECK(sender->state("a") == succeeded);
  CHECK(record("a").redelivered());
}

TEST_CASE_FIXTURE(two_post_offices, "what a receiver took and lost in a crash comes again, marked") {
  start_both();
  submit("first");
  receiver_disk.hold();
  submit("a");
  receiver->start();
  receiver_disk.crash();

  receiver_disk.release();
  start_receiver();
  pass(10s);

  REQUIRE(receiver->jobs.size() == 2);
  receiver->perform_at_once();
  pass(10s);
  CHECK(sender->state("a") == succeeded);
  CHECK(record("a").redelivered());
}

TEST_CASE_FIXTURE(two_post_offices,
                  "a receiver that lost its storage cannot tell any more: what it had accepted is unknown") {
  start_both();
  submit("a");
  CHECK(sender->state("a") == accepted);
  receiver.reset();
  submit("b");

  manual_storage new_disk("another journal");
  start_receiver(new_disk);
  pass(10s);

  CHECK(sender->state("a") == unknown);
  REQUIRE(receiver->jobs.size() == 1);
  CHECK(receiver->jobs[0].what.id == "b");
  receiver.reset();
}

TEST_CASE_FIXTURE(two_post_offices, "a sender that lost its storage starts anew, and its old channel is forgotten") {
  start_both();
  submit("a");
  CHECK(receiver_disk.records("i/") == 1);
  sender.reset();

  manual_storage new_disk("another journal");
  sender = opened(sender_id, new_disk);
  submit("b");
  pass(10s);

  CHECK(receiver->jobs.size() == 2);
  CHECK(receiver_disk.records("i/") == 1);
  CHECK(sender->state("b") == accepted);
  sender.reset();
}

TEST_CASE_FIXTURE(two_post_offices, "notifications to this node itself are performed again after a crash, in order") {
  start_sender();
  for (const auto* id : {"z", "a"}) {
    auto n = make_notification(id);
    n.target = sender_id;
    submit(n);
  }

  start_sender();

  REQUIRE(sender->jobs.size() == 2);
  CHECK(sender->jobs[0].what.id == "z");
  sender->start();
  sender->finish();
  CHECK(record("z").redelivered());
}

TEST_CASE_FIXTURE(two_post_offices, "what was begun before anybody wrote so is marked when it is performed again") {
  sender = opened(sender_id, sender_disk);
  auto n = make_notification("a");
  n.target = sender_id;
  sender->mail().submit(n, [](const result<void>&) {});
  sender->close_turn();  // durable as queued, before the actors are there
  sender_disk.hold();
  settle();
  sender->start();

  start_sender();
  sender_disk.release();
  settle();
  sender->start();
  sender->finish();

  CHECK(record("a").redelivered());
}

TEST_CASE_FIXTURE(two_post_offices, "what a node that stops did not finish is finished by its next life") {
  start_both();
  submit("a");
  receiver->start();
  receiver->finish(error{error_code::shutting_down, "stopping"});
  CHECK(sender->state("a") == started);

  start_receiver();
  receiver->perform_at_once();
  pass(10s);

  CHECK(sender->state("a") == succeeded);
}

TEST_CASE_FIXTURE(two_post_offices,
                  "what was meant for an earlier life is not taken, for its marks are not true of this one") {
  start_both();
  const hello peer{"/flock", sender_id, {1, 9}, "1", "", "test", "journal0"};
  const auto meant_for = [](std::uint64_t life) {
    return message{message_kind::parcels,
                   0,
                   {},
                   {},
                   {},
                   batch{"journal0", {1, life}, 0, 0, {{7, make_notification("a")}}}.to_body()};
  };

  CHECK(receiver->mail().received(peer, meant_for(receiver->life() - 1)).has_value());
  CHECK(receiver->jobs.empty());
  CHECK(receiver->mail().received(peer, meant_for(receiver->life())).has_value());
  CHECK(receiver->jobs.size() == 1);
}
