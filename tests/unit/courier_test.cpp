#include "tests/support/notifications.hpp"
#include "tests/support/post_office.hpp"
#include <flock/courier.hpp>

#include <doctest/doctest.h>

namespace {

using namespace flock;
using namespace std::chrono_literals;
using flock::testing::at;
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

/// A sender and a receiver, each of which can be away, come back and lose its disk.
struct fixture {
  manual_clock time;
  manual_runtime threads{time};
  memory_network network{threads, time};
  manual_storage sender_disk{"journal0"};
  manual_storage receiver_disk{"journal1"};
  courier::options options;
  std::uint64_t lives = 0;
  std::unique_ptr<post_office> sender;
  std::unique_ptr<post_office> receiver;

  post_office& start_sender() {
    sender.reset();
    sender = std::make_unique<post_office>(sender_id, ++lives, seams(), sender_disk, options);
    settle();
    return *sender;
  }
  post_office& start_receiver() { return start_receiver(receiver_disk); }
  post_office& start_receiver(manual_storage& disk) {
    receiver.reset();
    receiver = std::make_unique<post_office>(receiver_id, ++lives, seams(), disk, options);
    settle();
    return *receiver;
  }
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

  void settle() { threads.run_ready(); }
  /// A node's own timer, and those of the network.
  void pass(milliseconds by) {
    threads.advance(by);
    if (sender) sender->tick();
    if (receiver) receiver->tick();
    settle();
  }

  const notification_record& record(const std::string& id) { return *sender->mail().records().find(id); }
  wall_time time_of(const std::string& id, receipt_state s) {
    for (const auto& r : record(id).receipts) {
      if (r.state == s) return r.at;
    }
    return {};
  }

  post_office::seams seams() { return {threads, time, network}; }
};

notification expiring(const std::string& id, int ms) {
  auto n = make_notification(id);
  n.expires = at(ms);
  return n;
}

}  // namespace

TEST_CASE_FIXTURE(fixture, "a notification is accepted, started and done, and its sender sees when") {
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

TEST_CASE_FIXTURE(fixture, "when all has ended and is acknowledged, storage keeps the records and nothing else of it") {
  start_both();
  receiver->perform_at_once();

  submit("a");
  submit("b");

  for (auto* disk : {&sender_disk, &receiver_disk}) {
    CHECK(disk->records("n/") == 2);
    CHECK(disk->records("o/") == 0);
    CHECK(disk->records("w/") == 0);
  }
  CHECK(sender->mail().outbox_depth() == 0);
  CHECK(receiver->mail().outbox_depth() == 0);
}

TEST_CASE_FIXTURE(fixture, "what is sent to a node that is away is delivered in order when it comes") {
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

TEST_CASE_FIXTURE(fixture, "an action starts while the records of it are still being written") {
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

TEST_CASE_FIXTURE(fixture, "a receipt leaves when its record is durable, not before") {
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

TEST_CASE_FIXTURE(fixture, "a sender that comes back sends what was not acknowledged") {
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

TEST_CASE_FIXTURE(fixture, "a sender that comes back hears how it ended") {
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

TEST_CASE_FIXTURE(fixture, "what a crashed sender had sent but not kept is done, and its numbers are not used again") {
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

TEST_CASE_FIXTURE(fixture, "a receiver that crashes between start and end performs again, and says so") {
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

TEST_CASE_FIXTURE(fixture, "what a receiver took and lost in a crash comes again, marked") {
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

TEST_CASE_FIXTURE(fixture, "a connection that breaks repeats and marks nothing") {
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

TEST_CASE_FIXTURE(fixture, "what is lost although the connection stands is sent once more") {
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

TEST_CASE_FIXTURE(fixture, "what arrives before the actors are there waits, behind what had not ended") {
  start_both();
  submit("a");
  receiver.reset();
  receiver = std::make_unique<post_office>(receiver_id, ++lives, seams(), receiver_disk, options);
  const hello peer{"/flock", sender_id, {1, sender->life()}, "1", "", "test", "journal0"};
  batch b{"journal0", {1, receiver->life()}, 0, 0, {{2, make_notification("b")}}};

  CHECK(receiver->mail().received(peer, {message_kind::parcels, 0, {}, {}, {}, b.to_body()}).has_value());
  CHECK(receiver->jobs.empty());
  settle();

  REQUIRE(receiver->jobs.size() == 2);
  CHECK(receiver->jobs[0].what.id == "a");
  CHECK(receiver->jobs[1].what.id == "b");
}

TEST_CASE_FIXTURE(fixture, "an action that fails is told with its exit status and output") {
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

TEST_CASE_FIXTURE(fixture, "the error of a method is the reason why it failed") {
  start_both();
  submit("a");

  receiver->start();
  receiver->finish(error{error_code::no_such_method, "no such action: fly"});

  CHECK(sender->state("a") == failed);
  CHECK(record("a").last().why == error{error_code::no_such_method, "no such action: fly"});
}

TEST_CASE_FIXTURE(fixture, "if nobody can tell how it ended, its state is unknown") {
  start_both();
  submit("a");

  receiver->start();
  receiver->finish(error{error_code::maybe_done, "dropped without an answer"});

  CHECK(sender->state("a") == unknown);
}

TEST_CASE_FIXTURE(fixture, "what is not admitted fails and was never accepted") {
  start_both();
  receiver->unknown_actors = {"execute[toast]"};

  submit("a");

  CHECK(sender->state("a") == failed);
  CHECK(record("a").last().why->code == error_code::not_found);
  CHECK(record("a").receipts.size() == 2);
  CHECK(receiver->jobs.empty());
  CHECK(receiver_disk.records("w/") == 0);
}

TEST_CASE_FIXTURE(fixture, "what was never sent expires when its time has passed") {
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

TEST_CASE_FIXTURE(fixture, "what was never sent expires also after its sender came back") {
  start_sender();
  submit(expiring("a", 1000));

  start_sender();
  pass(1s);

  CHECK(sender->state("a") == expired);
}

TEST_CASE_FIXTURE(fixture, "what was on its way and did not arrive in time is the receiver's to expire") {
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

TEST_CASE_FIXTURE(fixture, "what did not get its turn in time is expired") {
  start_both();
  submit(expiring("a", 1000));

  pass(2s);
  CHECK(sender->state("a") == accepted);
  receiver->finish(error{error_code::timeout, "its turn came too late"});

  CHECK(sender->state("a") == expired);
}

TEST_CASE_FIXTURE(fixture, "an action that takes too long has failed, not expired") {
  start_both();
  submit("a");

  receiver->start();
  receiver->finish(error{error_code::timeout, "killed after 2 m"});

  CHECK(sender->state("a") == failed);
}

TEST_CASE_FIXTURE(fixture, "what may have been done by a receiver that is gone is unknown after the grace") {
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

TEST_CASE_FIXTURE(fixture, "a receiver that is there may take its time") {
  start_both();
  submit(expiring("a", 1000));
  receiver->start();

  pass(24h);
  CHECK(sender->state("a") == started);
  receiver->finish();

  CHECK(sender->state("a") == succeeded);
}

TEST_CASE_FIXTURE(fixture, "nothing is waited for for ever, and its receipts are not kept for ever") {
  start_both();
  submit(expiring("a", 1000));
  receiver->start();
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

TEST_CASE_FIXTURE(fixture, "a receiver that lost its storage cannot tell any more: what it had accepted is unknown") {
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

TEST_CASE_FIXTURE(fixture, "a sender that lost its storage starts anew, and its old channel is forgotten") {
  start_both();
  submit("a");
  CHECK(receiver_disk.records("i/") == 1);
  sender.reset();

  manual_storage new_disk("another journal");
  sender = std::make_unique<post_office>(sender_id, ++lives, seams(), new_disk, options);
  submit("b");
  pass(10s);

  CHECK(receiver->jobs.size() == 2);
  CHECK(receiver_disk.records("i/") == 1);
  CHECK(sender->state("b") == accepted);
  sender.reset();
}

TEST_CASE_FIXTURE(fixture, "one that was not sent yet can be cancelled, others cannot") {
  start_sender();
  submit("a");
  submit("b");

  CHECK(cancel(*sender, "a").has_value());
  CHECK(sender->state("a") == cancelled);
  CHECK(cancel(*sender, "a").error().code == error_code::refused);
  CHECK(cancel(*sender, "c").error().code == error_code::not_found);

  start_receiver();
  pass(10s);
  REQUIRE(receiver->jobs.size() == 1);
  CHECK(receiver->jobs[0].what.id == "b");
  CHECK(cancel(*sender, "b").error().code == error_code::refused);
  CHECK(cancel(*receiver, "b").error().code == error_code::not_found);
}

TEST_CASE_FIXTURE(fixture, "what a node concludes itself is shown when it is durable") {
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

TEST_CASE_FIXTURE(fixture, "an end that a node is told of is shown when it is durable") {
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

TEST_CASE_FIXTURE(fixture, "a notification to this node itself goes the same way without the network") {
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

TEST_CASE_FIXTURE(fixture, "notifications to this node itself are performed again after a crash, in order") {
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

TEST_CASE_FIXTURE(fixture, "what was begun before anybody wrote so is marked when it is performed again") {
  sender = std::make_unique<post_office>(sender_id, ++lives, seams(), sender_disk, options);
  auto n = make_notification("a");
  n.target = sender_id;
  sender->mail().submit(n, [](const result<void>&) {});
  sender->mail().flush();  // durable as queued, before the actors are there
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

TEST_CASE_FIXTURE(fixture, "what a node that stops did not finish is finished by its next life") {
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

TEST_CASE_FIXTURE(fixture, "a notification that would cause itself again is refused, with its loop") {
  start_sender();
  auto n = make_notification("a");
  n.causes = {{receiver_id, "execute[toast]", "run"}, {sender_id, "file[/tmp/fubar]", "create"}};

  auto why = refusal(n);

  CHECK(why.code == error_code::refused);
  CHECK(why.what ==
        "it would cause itself again: bender1/execute[toast] run -> bender0/file[/tmp/fubar] create -> "
        "bender1/execute[toast] run");
  n.id = "b";
  n.causes[0].action = "nothing";
  submit(n);
  CHECK(sender->taken("b") == result<void>());
}

TEST_CASE_FIXTURE(fixture, "what cannot or need not be sent is refused at once") {
  start_sender();
  submit("a");
  auto long_chain = make_notification("b");
  long_chain.causes.assign(33, {sender_id, "log[x]", "write"});
  auto large = make_notification("b");
  large.arguments = {std::string(options.out.bytes, 'x')};
  auto nameless = make_notification("");
  auto long_name = make_notification(std::string(2000, 'x'));

  CHECK(refusal(make_notification("a")).code == error_code::bad_argument);
  CHECK(refusal(nameless).code == error_code::bad_argument);
  CHECK(refusal(long_name).code == error_code::bad_argument);
  CHECK(refusal(large).code == error_code::bad_argument);
  CHECK(refusal(long_chain).code == error_code::refused);
  CHECK(refusal(expiring("b", 0)).code == error_code::refused);
  CHECK_FALSE(sender->state("b"));
}

TEST_CASE_FIXTURE(fixture, "more than a bounded number does not wait for one node") {
  options.waiting = 2;
  start_sender();
  submit("a");
  submit("b");

  CHECK(refusal(make_notification("c")).code == error_code::refused);
}

TEST_CASE_FIXTURE(fixture, "an outcome that no message can carry is left out, and that is said") {
  start_both();
  submit("a");

  receiver->start();
  receiver->finish(value(std::string(2 << 20, 'x')));

  CHECK(sender->state("a") == succeeded);
  CHECK(record("a").last().outcome.is_null());
  CHECK(record("a").last().why->code == error_code::refused);

  submit("b");
  receiver->start();
  receiver->finish(error{error_code::down, std::string(2 << 20, 'x')});
  CHECK(sender->state("b") == failed);
  CHECK(record("b").last().why->what.size() == 4096);
}

TEST_CASE_FIXTURE(fixture, "a sender whose disk is full takes nothing, says why, and goes on when there is room") {
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

TEST_CASE_FIXTURE(fixture, "whoever waits when the disk becomes full is told that it may be done, and it is") {
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

TEST_CASE_FIXTURE(fixture, "a cancellation is refused while the disk is full") {
  start_sender();
  submit("a");
  sender_disk.fill(true);

  std::optional<result<void>> cancelled;
  sender->mail().cancel("a", [&](result<void> how) { cancelled = std::move(how); });

  REQUIRE(cancelled);
  CHECK(cancelled->error().code == error_code::io);
  CHECK(sender->state("a") == queued);
}

TEST_CASE_FIXTURE(fixture,
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

TEST_CASE_FIXTURE(fixture, "a notification that is known is answered with how it stands, and is not performed again") {
  start_both();
  submit("a");
  receiver->start();
  receiver->finish();
  settle();
  const auto again = make_notification("a");
  hello as_sender{"/flock", again.sender, {1, sender->life()}, "1", "", "test", sender_disk.id()};

  auto taken = receiver->mail().received(
      as_sender, {message_kind::parcels,
                  0,
                  {},
                  {},
                  {},
                  batch{sender_disk.id(), {1, receiver->life()}, 0, 0, {{1'000'000, again}}}.to_body()});
  settle();

  CHECK(taken.has_value());
  CHECK(receiver->jobs.empty());
  CHECK(receiver->state("a") == succeeded);
  CHECK(sender->state("a") == succeeded);
}

TEST_CASE_FIXTURE(fixture, "a node believes only the receiver of a notification, and only its sender") {
  start_both();
  submit("a");
  const auto liar = node("bender2");
  manual_storage disk("journal2");
  post_office third(liar, ++lives, seams(), disk);
  auto forged = make_notification("forged");  // says that it is from bender0
  hello as_liar{"/flock", liar, {1, 9}, "1", "", "test", "journal2"};

  receiver->mail().connected(as_liar);
  auto taken = receiver->mail().received(
      as_liar,
      {message_kind::parcels, 0, {}, {}, {}, batch{"journal2", {1, receiver->life()}, 0, 0, {{1, forged}}}.to_body()});
  sender->mail().connected(as_liar);
  receipt lie{"a", failed, at(0), {}, {}, false};
  auto heard = sender->mail().received(
      as_liar,
      {message_kind::parcels, 0, {}, {}, {}, batch{"journal2", {1, sender->life()}, 0, 0, {{1, lie}}}.to_body()});
  settle();

  CHECK(taken.has_value());
  CHECK(heard.has_value());
  CHECK_FALSE(receiver->state("forged"));
  CHECK(receiver->jobs.size() == 1);
  CHECK(sender->state("a") == accepted);
}

TEST_CASE_FIXTURE(fixture, "a message that breaks the protocol is named") {
  start_both();
  const hello peer{"/flock", sender_id, {1, 9}, "1", "", "test", "journal0"};

  auto bad = receiver->mail().received(peer, {message_kind::parcels, 0, {}, {}, {}, "text"});
  auto foreign = receiver->mail().received(
      peer, {message_kind::parcels, 0, {}, {}, {}, batch{"x", {1, receiver->life()}, 0, 0, {}}.to_body()});
  auto ack = receiver->mail().received(peer, {message_kind::acknowledge, 0, {}, {}, {}, "text"});
  auto call = receiver->mail().received(peer, {message_kind::call, 0, {}, {}, {}, {}});

  for (const auto* r : {&bad, &foreign, &ack, &call}) CHECK(r->error().code == error_code::protocol);
}

TEST_CASE_FIXTURE(fixture, "what was meant for an earlier life is not taken, for its marks are not true of this one") {
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

TEST_CASE_FIXTURE(fixture, "what is old is forgotten, on disk too") {
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

TEST_CASE_FIXTURE(fixture, "a record that cannot be read is named, and nothing is guessed") {
  sender_disk.write({{"n/a", "rubbish"}}, [](const result<void>&) {});
  try {
    start_sender();
    FAIL("restored rubbish");
  } catch (const std::runtime_error& e) {
    CHECK(std::string(e.what()).find("n/a") != std::string::npos);
  }
}

TEST_CASE_FIXTURE(fixture, "10,000 notifications stay within the window, arrive in order and leave nothing behind") {
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
  CHECK(receiver->mail().outbox_depth() == 0);
  CHECK(sender->mail().records().list(succeeded, {}).size() == 10'001);
  std::vector<int> starts;
  for (const auto& p : receiver->progress) {
    if (p.find(" started") != std::string::npos && p != "first started") starts.push_back(position(p));
  }
  CHECK(starts.size() == 10'000);
  CHECK(std::is_sorted(starts.begin(), starts.end()));
}
