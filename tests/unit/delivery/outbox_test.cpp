#include "libflock/delivery/outbox.hpp"

#include "tests/support/checked.hpp"
#include "tests/support/notifications.hpp"

#include <doctest/doctest.h>

namespace {

using namespace flock;
using flock::testing::at;
using flock::testing::checked;
using flock::testing::make_notification;
using flock::testing::node;
using numbers = std::vector<std::uint64_t>;

const auto to = node("bender1");
const incarnation first_life{1, 1};
const incarnation second_life{2, 2};

constexpr std::size_t bytes = 200;

std::uint64_t add(outbox& out) { return out.add(to, make_notification("n"), bytes); }
std::uint64_t add_receipt(outbox& out, wall_time when = at(0)) {
  return out.add(to, receipt{"n", receipt_state::started, when, {}, {}, false}, bytes);
}

/// A storage without a delay.
void store(outbox& out) {
  if (auto s = out.to_store(to)) out.stored(to, *s);
  out.stored(to, out.last(to));
}

void connect(outbox& out, const incarnation& life = first_life, const std::string& journal = "disk1") {
  out.connected(to, life, journal);
  store(out);
}

numbers send(outbox& out) {
  numbers sent;
  while (auto b = out.next(to)) {
    for (const auto& item : b->items) sent.push_back(item.number);
    out.sent(to, *b);
  }
  return sent;
}

numbers acknowledge(outbox& out, std::uint64_t upto) {
  numbers settled;
  for (const auto& item : out.acknowledge(to, {"journal0", upto})) settled.push_back(item.number);
  return settled;
}

checked<outbox> make(outbox::options o = {}) { return {"journal0", o}; }

/// The outbox of a sender that came back, with what its storage kept.
checked<outbox> restored(const outbox::standing& s, const numbers& parcels) {
  auto out = make();
  out.restore(to, s);
  for (auto n : parcels) out.restore(to, n, make_notification("n"), bytes);
  return out;
}

}  // namespace

TEST_CASE("parcels leave in order and once, when their receiver is connected") {
  auto out = make();
  add(out);
  add(out);

  auto before = send(out);
  connect(out);
  auto connected = send(out);
  add(out);
  auto later = send(out);

  CHECK(before.empty());
  CHECK(connected == numbers{1, 2});
  CHECK(later == numbers{3});
  CHECK(out.depth(to) == 3);
}

TEST_CASE("a batch says which of the parcels on the way comes before it") {
  auto out = make();
  connect(out);
  add(out);
  store(out);

  auto first = *out.next(to);
  out.sent(to, first);
  add(out);
  auto second = *out.next(to);
  out.sent(to, second);
  (void)acknowledge(out, 2);
  add(out);
  auto third = *out.next(to);

  CHECK(first.channel == "journal0");
  CHECK(first.after == 0);
  CHECK(second.after == 1);
  CHECK(third.after == 0);
}

TEST_CASE("what is acknowledged is forgotten, and acknowledgements count for all before them") {
  auto out = make();
  connect(out);
  for (int i = 0; i < 3; ++i) add(out);
  store(out);
  (void)send(out);

  CHECK(acknowledge(out, 2) == numbers{1, 2});
  CHECK(acknowledge(out, 1).empty());
  CHECK(acknowledge(out, 3) == numbers{3});
  CHECK(out.depth() == 0);
  CHECK(out.receivers().empty());
}

TEST_CASE("an acknowledgement of another channel, or of numbers that were never given, settles nothing") {
  auto out = make();
  add(out);

  CHECK(out.acknowledge(to, {"another journal", 1}).empty());
  CHECK(out.acknowledge(node("bender2"), {"journal0", 1}).empty());
  CHECK(acknowledge(out, 2).empty());
  CHECK(out.depth(to) == 1);
}

TEST_CASE("after a reconnection all that is not acknowledged is sent again, in order, under the same numbers") {
  auto out = make();
  connect(out);
  for (int i = 0; i < 3; ++i) add(out);
  store(out);
  (void)send(out);
  (void)acknowledge(out, 1);

  out.disconnected(to);
  auto meanwhile = add(out);
  connect(out);

  CHECK(send(out) == numbers{2, 3, meanwhile});
}

TEST_CASE("what was taken for lost is sent once more") {
  auto out = make();
  connect(out);
  add(out);
  store(out);
  (void)send(out);

  out.rewind(to);

  CHECK(out.in_flight(to) == 0);
  CHECK(send(out) == numbers{1});
  CHECK(out.in_flight(to) == 1);
}

TEST_CASE("no more than a window is on the way, in batches of bounded number") {
  auto out = make({.window = 5, .batch = 2, .bytes = 1 << 20, .reserve = 1024});
  connect(out);
  for (int i = 0; i < 10; ++i) add(out);
  store(out);

  auto first = *out.next(to);
  auto sent = send(out);
  (void)acknowledge(out, 3);

  CHECK(first.items.size() == 2);
  CHECK(sent == numbers{1, 2, 3, 4, 5});
  CHECK(send(out) == numbers{6, 7, 8});
}

TEST_CASE("batches are of bounded size, but a large parcel travels alone") {
  auto out = make({.window = 100, .batch = 100, .bytes = 1000, .reserve = 1024});
  connect(out);
  for (std::size_t size : {400, 400, 400, 5000, 400}) out.add(to, make_notification("n"), size);
  store(out);

  std::vector<std::size_t> sizes;
  while (auto b = out.next(to)) {
    sizes.push_back(b->items.size());
    out.sent(to, *b);
  }

  CHECK(sizes == std::vector<std::size_t>{2, 1, 1, 1});
}

TEST_CASE("a notification may leave before its record is durable, a receipt may not, nor what is behind it") {
  auto out = make();
  connect(out);
  add(out);
  store(out);
  (void)send(out);

  auto early = add(out);
  auto held = add_receipt(out);
  auto behind = add(out);

  CHECK(send(out) == numbers{early});
  out.stored(to, held);
  CHECK(send(out) == numbers{held, behind});
}

TEST_CASE("no number leaves before it is reserved, and reservations run ahead") {
  auto out = make({.window = 1024, .batch = 100, .bytes = 1 << 20, .reserve = 8});
  out.connected(to, first_life, "disk1");
  add(out);

  auto first = out.to_store(to);
  auto asked_again = out.to_store(to);
  auto unreserved = send(out);
  out.stored(to, *first);
  auto reserved = send(out);

  REQUIRE(first);
  CHECK_FALSE(asked_again);
  CHECK(unreserved.empty());
  CHECK(reserved == numbers{1});
  CHECK(first->reserved == 9);

  // Half of it is left when the next ones are taken.
  for (int i = 2; i <= 4; ++i) add(out);
  CHECK_FALSE(out.to_store(to));
  add(out);
  auto second = out.to_store(to);
  REQUIRE(second);
  CHECK(second->reserved == 13);
  for (int i = 6; i <= 10; ++i) add(out);
  CHECK(send(out) == numbers{2, 3, 4, 5, 6, 7, 8, 9});
  out.stored(to, *second);
  CHECK(send(out) == numbers{10});
}

TEST_CASE("a number that may have been sent is not given again after a crash") {
  auto out = make();
  connect(out);
  add(out);
  auto s = out.to_store(to);
  out.stored(to, *s);
  (void)send(out);

  auto back = restored(*s, {});

  CHECK(add(back) == s->reserved + 1);
}

TEST_CASE("nothing leaves until it is durable that a connection stands") {
  auto out = make();
  connect(out);
  add(out);
  store(out);
  out.disconnected(to);
  auto closed = out.to_store(to);

  out.connected(to, first_life, "disk1");
  auto open = out.to_store(to);
  out.stored(to, *closed);
  auto early = send(out);
  out.stored(to, *open);

  CHECK(closed->sent == 0);
  CHECK_FALSE(open->sent);
  CHECK(early.empty());
  CHECK(send(out) == numbers{1});
}

TEST_CASE("a peer that nothing was ever sent to costs no record") {
  auto out = make();

  out.connected(to, first_life, "disk1");
  CHECK_FALSE(out.to_store(to));
  out.disconnected(to);
  CHECK_FALSE(out.to_store(to));
}

TEST_CASE("a parcel that was never sent can be withdrawn, one that may be on the way cannot") {
  auto out = make({.window = 1, .batch = 1, .bytes = 1 << 20, .reserve = 1024});
  connect(out);
  for (int i = 0; i < 3; ++i) add(out);
  store(out);
  (void)send(out);

  CHECK_FALSE(out.withdraw(to, 1));
  CHECK(out.withdraw(to, 2));
  CHECK_FALSE(out.withdraw(to, 2));
  (void)acknowledge(out, 1);
  store(out);
  CHECK(send(out) == numbers{3});
}

TEST_CASE("nothing leaves until it is durable that a parcel was withdrawn") {
  auto out = make();
  out.connected(to, first_life, "disk1");
  add(out);
  add(out);
  store(out);

  (void)out.withdraw(to, 1);
  auto early = send(out);
  store(out);

  CHECK(early.empty());
  CHECK(send(out) == numbers{2});
}

TEST_CASE("what was sent in an earlier connection may be on the way for ever") {
  auto out = make();
  connect(out);
  add(out);
  store(out);
  (void)send(out);

  out.disconnected(to);
  auto unsent = add(out);

  CHECK_FALSE(out.withdraw(to, 1));
  CHECK(out.withdraw(to, unsent));
}

TEST_CASE("a sender that comes back knows what it never sent, unless it crashed while connected") {
  auto out = make();
  connect(out);
  add(out);
  store(out);
  (void)send(out);
  add(out);
  auto open = outbox::standing{2, 1025, 0, std::nullopt, first_life, "disk1"};
  out.disconnected(to);
  auto closed = *out.to_store(to);

  auto after_a_stop = restored(closed, {1, 2});
  auto after_a_crash = restored(open, {1, 2});

  CHECK(after_a_stop.withdraw(to, 2));
  CHECK_FALSE(after_a_stop.withdraw(to, 1));
  CHECK_FALSE(after_a_crash.withdraw(to, 2));
}

TEST_CASE("a dropped parcel is not sent any more, and leaves no gap") {
  auto out = make();
  connect(out);
  for (int i = 0; i < 4; ++i) add(out);
  store(out);
  (void)send(out);

  out.drop(to, 2);
  CHECK(out.in_flight(to) == 3);
  out.rewind(to);

  CHECK(send(out) == numbers{1, 3, 4});
}

TEST_CASE("a parcel that an earlier life of the receiver may have got is marked, others are not") {
  auto out = make();
  connect(out);
  add(out);
  store(out);
  (void)send(out);
  auto to_first_life = out.next(to);
  out.disconnected(to);
  add(out);

  connect(out, first_life);
  auto same_life = *out.next(to);
  out.disconnected(to);
  connect(out, second_life);
  auto other_life = *out.next(to);

  CHECK_FALSE(to_first_life);
  CHECK(same_life.to == first_life);
  CHECK(other_life.to == second_life);
  CHECK(same_life.again == 0);
  CHECK(other_life.again == 1);
  CHECK(other_life.items.size() == 2);
}

TEST_CASE("a sender that comes back knows which life it sent to") {
  auto crashed = outbox::standing{2, 1025, 0, std::nullopt, first_life, "disk1"};

  auto out = restored(crashed, {1, 2});
  connect(out, first_life);
  CHECK(out.next(to)->again == 0);

  out = restored(crashed, {1, 2});
  connect(out, second_life);
  CHECK(out.next(to)->again == 1025);
}

TEST_CASE("a receiver with another storage than it had is noticed, and starts at the first unacknowledged parcel") {
  auto out = make();
  CHECK_FALSE(out.connected(to, first_life, "disk1"));
  for (int i = 0; i < 2; ++i) add(out);
  store(out);
  (void)send(out);
  (void)acknowledge(out, 1);
  out.disconnected(to);

  CHECK_FALSE(out.connected(to, second_life, "disk1"));
  out.disconnected(to);
  CHECK(out.connected(to, second_life, "disk2"));
  store(out);

  CHECK(out.next(to)->after == 0);
  CHECK(send(out) == numbers{2});
}

TEST_CASE("receipts that nobody came for are dropped by age") {
  auto out = make();
  add_receipt(out, at(0));
  add_receipt(out, at(10));
  add_receipt(out, at(20));
  add(out);

  CHECK(out.drop_receipts(to, at(20)) == numbers{1, 2});
  CHECK(out.depth(to) == 2);
  CHECK(out.drop_receipts(to, at(30)) == numbers{3});
  CHECK(out.drop_receipts(to, at(30)).empty());
}

TEST_CASE("receivers are served by themselves") {
  auto out = make();
  const auto other = node("bender2");
  add(out);
  auto number = out.add(other, make_notification("n"), bytes);
  connect(out);

  CHECK(number == 1);
  CHECK(send(out) == numbers{1});
  CHECK_FALSE(out.next(other));
  CHECK(out.depth() == 2);
  CHECK(out.depth(other) == 1);
  CHECK(out.receivers() == std::vector<node_id>{to, other});
}

TEST_CASE("a channel's standing comes back from its stored form") {
  for (const auto& s : {outbox::standing{}, outbox::standing{3, 1025, 7, 9, first_life, "disk1"},
                        outbox::standing{3, 1025, 7, std::nullopt, first_life, "disk1"}}) {
    auto back = outbox::standing::from_value(s.to_value());

    REQUIRE(back.has_value());
    CHECK(*back == s);
  }
  CHECK_FALSE(outbox::standing::from_value("text").has_value());
  for (const auto& s :
       {outbox::standing{3, 1025, 10, 9, first_life, "disk1"}, outbox::standing{3, 1025, 7, 1026, first_life, "disk1"},
        outbox::standing{3, 1025, 1026, std::nullopt, first_life, "disk1"}})
    CHECK_FALSE(outbox::standing::from_value(s.to_value()).has_value());
}
