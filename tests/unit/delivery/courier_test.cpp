#include "tests/support/two_post_offices.hpp"

#include <doctest/doctest.h>

// The way of a notification from its sender to its receiver, and of its receipts back.

namespace {

using namespace flock;
using namespace std::chrono_literals;
using namespace flock::testing;
using enum receipt_state;

}  // namespace

TEST_CASE_FIXTURE(two_post_offices, "a notification is accepted, started and done, and its sender sees when") {
  start_both();

  submit("a");
  CHECK(sender->taken("a") == result<void>());
  CHECK(sender->state("a") == accepted);
  time.advance(5ms);
  receiver->start();
  CHECK(sender->state("a") == started);
  time.advance(5ms);
  receiver->finish(value(value::map{{"outcome", "updated"}, {"exit_status", 0}, {"output", "toast"}}));

  CHECK(sender->state("a") == succeeded);
  CHECK(time_of("a", queued) == at(0));
  CHECK(time_of("a", accepted) == at(0));
  CHECK(time_of("a", started) == at(5));
  CHECK(time_of("a", succeeded) == at(10));
  CHECK(record("a").attempts == 1);
  CHECK_FALSE(record("a").redelivered());
  CHECK(record("a").to_value()["output"] == value("toast"));
  CHECK(receiver->state("a") == succeeded);
  CHECK(sender->progress == std::vector<std::string>{"a queued", "a accepted", "a started", "a succeeded"});
  CHECK(receiver->progress == std::vector<std::string>{"a accepted", "a started", "a succeeded"});
}

TEST_CASE_FIXTURE(two_post_offices,
                  "when all has ended and is acknowledged, storage keeps the records and nothing else of it") {
  start_both();
  receiver->perform_at_once();

  submit("a");
  submit("b");
  catch_up();

  for (auto* disk : {&sender_disk, &receiver_disk}) {
    CHECK(disk->records("n/") == 2);
    CHECK(disk->records("o/") == 0);
    CHECK(disk->records("w/") == 0);
  }
  CHECK(sender->mail().outbox_depth() == 0);
  CHECK(receiver->mail().outbox_depth() == 0);
}

TEST_CASE_FIXTURE(two_post_offices, "a receipt is acknowledged with the next notification, or when time passes") {
  start_both();
  receiver->perform_at_once();

  submit("a");
  CHECK(receiver->mail().outbox_depth() == 3);
  submit("b");
  CHECK(receiver->mail().outbox_depth() == 3);  // those of b

  pass(1s);
  CHECK(receiver->mail().outbox_depth() == 0);
}

TEST_CASE_FIXTURE(two_post_offices, "many receipts are acknowledged before any time passes") {
  options.unacknowledged = 6;
  start_both();
  receiver->perform_at_once();

  for (int i = 0; i < 2; ++i) sender->submit(make_notification(std::to_string(i)));
  settle();

  CHECK(receiver->mail().outbox_depth() == 0);
}

TEST_CASE_FIXTURE(two_post_offices,
                  "what was acknowledged is forgotten with the next write, and costs none of its own") {
  start_both();
  receiver->perform_at_once();
  submit("a");
  receiver_disk.hold();

  submit("b");
  REQUIRE(receiver_disk.stats().waiting == 1);
  receiver_disk.sync_one();

  CHECK(receiver_disk.keys("o/").size() == 3);  // those of b, and of a none
}

TEST_CASE_FIXTURE(two_post_offices, "a short action is one write at its node from its arrival to its end") {
  start_both();
  receiver->perform_at_once();
  receiver_disk.hold();

  submit("a");
  CHECK(receiver_disk.stats().waiting == 1);
  receiver_disk.sync_one();
  settle();

  CHECK(sender->state("a") == succeeded);
}

TEST_CASE_FIXTURE(two_post_offices, "what is sent to a node that is away is delivered in order when it comes") {
  start_sender();
  submit("a");
  submit("b");
  CHECK(sender->taken("b") == result<void>());
  CHECK(sender->wanted.count(receiver_id) == 1);
  CHECK(sender->mail().oldest_waiting() == at(0));
  CHECK(sender->mail().receivers() == std::vector<node_id>{receiver_id});
  pass(10s);

  start_receiver();
  pass(10s);

  REQUIRE(receiver->jobs.size() == 2);
  CHECK(receiver->jobs[0].what.id == "a");
  CHECK(receiver->jobs[1].what.id == "b");
  CHECK(sender->state("a") == accepted);
  CHECK_FALSE(sender->mail().oldest_waiting());
}

TEST_CASE_FIXTURE(two_post_offices, "a connection that breaks repeats and marks nothing") {
  start_both();
  receiver->perform_at_once();
  network.disturb({.delay_least = 5ms, .delay_most = 5ms});
  for (int i = 0; i < 20; ++i) {
    submit(std::to_string(i));
    threads.advance(3ms);
    network.drop(sender_id, receiver_id);
    threads.advance(200ms);
  }
  pass(10s);

  CHECK(receiver->progress.size() == 60);
  for (int i = 0; i < 20; ++i) {
    CHECK(sender->state(std::to_string(i)) == succeeded);
    CHECK_FALSE(record(std::to_string(i)).redelivered());
  }
}

TEST_CASE_FIXTURE(two_post_offices, "what is lost although the connection stands is sent once more") {
  start_both();
  submit("first");
  receiver->perform_at_once();
  network.disturb({.lost = 1});
  submit("a");
  network.disturb({});

  pass(9s);
  CHECK(sender->state("a") == queued);
  pass(2s);

  CHECK(sender->state("a") == succeeded);
}

TEST_CASE_FIXTURE(two_post_offices, "what arrives before the actors are there waits, behind what had not ended") {
  start_both();
  submit("a");
  receiver.reset();
  receiver = opened(receiver_id, receiver_disk);
  const hello peer{"/flock", sender_id, {1, sender->life()}, "1", "", "test", "journal0"};
  batch b{"journal0", {1, receiver->life()}, 0, 0, {{2, make_notification("b")}}};

  CHECK(receiver->mail().received(peer, {message_kind::parcels, 0, {}, {}, {}, b.to_body()}).has_value());
  CHECK(receiver->jobs.empty());
  settle();

  REQUIRE(receiver->jobs.size() == 2);
  CHECK(receiver->jobs[0].what.id == "a");
  CHECK(receiver->jobs[1].what.id == "b");
}

TEST_CASE_FIXTURE(two_post_offices, "an action that fails is told with its exit status and output") {
  start_both();
  submit("a");

  receiver->start();
  value::map outcome{{"outcome", "failed"}, {"exit_status", 3}, {"output", "no toast"}};
  SUBCASE("and says why") {
    outcome["error"] = value::map{{"code", "io"}, {"message", "execute[toast]: run: exit status 3"}};
    receiver->finish(value(outcome));
    CHECK(record("a").last().why == error{error_code::io, "execute[toast]: run: exit status 3"});
  }
  SUBCASE("and does not say why") {
    receiver->finish(value(outcome));
    CHECK(record("a").last().why == error{error_code::io, "bender1/execute[toast] run failed"});
  }

  CHECK(sender->state("a") == failed);
  CHECK(record("a").last().outcome ==
        value(outcome = {{"outcome", "failed"}, {"exit_status", 3}, {"output", "no toast"}}));
  auto shown = record("a").to_value();
  CHECK(shown["exit_status"] == value(3));
  CHECK(shown["output"] == value("no toast"));
  CHECK(shown["error"]["code"] == value("io"));
}

TEST_CASE_FIXTURE(two_post_offices, "the error of a method is the reason why it failed") {
  start_both();
  submit("a");

  receiver->start();
  receiver->finish(error{error_code::no_such_method, "no such action: fly"});

  CHECK(sender->state("a") == failed);
  CHECK(record("a").last().why == error{error_code::no_such_method, "no such action: fly"});
}

TEST_CASE_FIXTURE(two_post_offices, "if nobody can tell how it ended, its state is unknown") {
  start_both();
  submit("a");

  receiver->start();
  receiver->finish(error{error_code::maybe_done, "dropped without an answer"});

  CHECK(sender->state("a") == unknown);
}

TEST_CASE_FIXTURE(two_post_offices, "a notification to this node itself goes the same way without the network") {
  start_sender();
  auto n = make_notification("a");
  n.target = sender_id;

  submit(n);
  CHECK(sender->taken("a") == result<void>());
  CHECK(sender->state("a") == accepted);
  sender->start();
  sender->finish();

  CHECK(sender->state("a") == succeeded);
  CHECK(sender->progress == std::vector<std::string>{"a queued", "a accepted", "a started", "a succeeded"});
  CHECK(sender->wanted.empty());
  CHECK(sender_disk.records("w/") == 0);
  CHECK(sender_disk.records("o/") == 0);
}

TEST_CASE_FIXTURE(two_post_offices,
                  "10,000 notifications stay within the window, arrive in order and leave nothing behind") {
  options.out.window = 256;
  start_both();
  receiver->perform_at_once();
  submit("first");
  receiver_disk.hold();
  const auto position = [](const std::string& p) { return std::stoi(p); };

  for (int i = 0; i < 10'000; ++i) sender->submit(make_notification(std::to_string(i)));
  settle();
  CHECK(receiver->mail().records().size() == 1 + 256);
  CHECK(sender->mail().outbox_depth() == 10'000);
  receiver_disk.release();
  settle();

  CHECK(sender->mail().outbox_depth() == 0);
  CHECK(receiver->mail().outbox_depth() < options.unacknowledged);
  CHECK(sender->mail().records().list(succeeded, {}).size() == 10'001);
  std::vector<int> starts;
  for (const auto& p : receiver->progress) {
    if (p.find(" started") != std::string::npos && p != "first started") starts.push_back(position(p));
  }
  CHECK(starts.size() == 10'000);
  CHECK(std::is_sorted(starts.begin(), starts.end()));
}
