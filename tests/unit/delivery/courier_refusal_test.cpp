#include "tests/support/two_post_offices.hpp"

#include <doctest/doctest.h>

// What a courier does not take, from its own node or from another one.

namespace {

using namespace flock;
using namespace std::chrono_literals;
using namespace flock::testing;
using enum receipt_state;

}  // namespace

TEST_CASE_FIXTURE(two_post_offices, "what is not admitted fails and was never accepted") {
  start_both();
  receiver->unknown_actors = {"execute[toast]"};

  submit("a");

  CHECK(sender->state("a") == failed);
  CHECK(record("a").last().why->code == error_code::not_found);
  CHECK(record("a").receipts.size() == 2);
  CHECK(receiver->jobs.empty());
  CHECK(receiver_disk.records("w/") == 0);
}

TEST_CASE_FIXTURE(two_post_offices, "a refusal is told when no crash can take it back") {
  start_both();
  receiver->unknown_actors = {"execute[toast]"};
  receiver_disk.hold();

  submit("a");
  CHECK(receiver->progress.empty());
  receiver_disk.release();
  settle();

  CHECK(receiver->progress == std::vector<std::string>{"a failed"});
}

TEST_CASE_FIXTURE(two_post_offices, "one that was not sent yet can be cancelled, others cannot") {
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

TEST_CASE_FIXTURE(two_post_offices, "a notification that would cause itself again is refused, with its loop") {
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

TEST_CASE_FIXTURE(two_post_offices, "what cannot or need not be sent is refused at once") {
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

TEST_CASE_FIXTURE(two_post_offices, "more than a bounded number does not wait for one node") {
  options.waiting = 2;
  start_sender();
  submit("a");
  submit("b");

  CHECK(refusal(make_notification("c")).code == error_code::refused);
}

TEST_CASE_FIXTURE(two_post_offices, "an outcome that no message can carry is left out, and that is said") {
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

TEST_CASE_FIXTURE(two_post_offices,
                  "a notification that is known is answered with how it stands, and is not performed again") {
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

TEST_CASE_FIXTURE(two_post_offices, "a node believes only the receiver of a notification, and only its sender") {
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

TEST_CASE_FIXTURE(two_post_offices, "a message that breaks the protocol is named") {
  start_both();
  const hello peer{"/flock", sender_id, {1, 9}, "1", "", "test", "journal0"};

  auto bad = receiver->mail().received(peer, {message_kind::parcels, 0, {}, {}, {}, "text"});
  auto foreign = receiver->mail().received(
      peer, {message_kind::parcels, 0, {}, {}, {}, batch{"x", {1, receiver->life()}, 0, 0, {}}.to_body()});
  auto ack = receiver->mail().received(peer, {message_kind::acknowledge, 0, {}, {}, {}, "text"});
  auto call = receiver->mail().received(peer, {message_kind::call, 0, {}, {}, {}, {}});

  for (const auto* r : {&bad, &foreign, &ack, &call}) CHECK(r->error().code == error_code::protocol);
}

TEST_CASE_FIXTURE(two_post_offices,
                  "what is too large to be kept is refused as it arrives, and leaves nothing behind") {
  start_both();
  const hello peer{"/flock", sender_id, {1, 9}, "1", "", "test", "journal0"};
  receiver->mail().connected(peer);
  settle();
  auto large = make_notification("a");
  SUBCASE("an id") { large.id.assign(600'000, 'x'); }
  SUBCASE("an action") { large.action.assign(notification::max_name + 1, 'x'); }
  SUBCASE("a cause") { large.causes = {{sender_id, std::string(notification::max_name + 1, 'x'), "run"}}; }
  SUBCASE("what it repeats") { large.retry_of.assign(notification::max_id + 1, 'x'); }
  SUBCASE("all of it") { large.arguments = {std::string(max_parcel_size, 'x')}; }
  SUBCASE("a time that no clock has") { large.expires = wall_time::max(); }

  const auto taken = receiver->mail().received(
      peer,
      {message_kind::parcels, 0, {}, {}, {}, batch{"journal0", {1, receiver->life()}, 0, 0, {{1, large}}}.to_body()});
  settle();

  CHECK(taken.error().code == error_code::protocol);
  CHECK(receiver->mail().records().list({}, {}).empty());
  CHECK(receiver->mail().outbox_depth() == 0);
}

TEST_CASE_FIXTURE(two_post_offices, "a receipt with a time from long ago does not make its sender forget") {
  start_both();
  submit("a");
  const hello peer{"/flock", receiver_id, {1, receiver->life()}, "1", "", "test", "journal1"};
  const receipt early{"a", succeeded, wall_time(milliseconds(0)), {}, {}, false};

  const auto heard = sender->mail().received(
      peer,
      {message_kind::parcels, 0, {}, {}, {}, batch{"journal1", {1, sender->life()}, 1, 0, {{2, early}}}.to_body()});
  settle();
  pass(milliseconds(1000));

  CHECK(heard.has_value());
  CHECK(sender->state("a"));
}
