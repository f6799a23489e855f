#include "libflock/delivery/inbox.hpp"

#include "tests/support/checked.hpp"
#include "tests/support/notifications.hpp"

#include <doctest/doctest.h>

namespace {

using namespace flock;
using flock::testing::checked;
using flock::testing::make_notification;
using flock::testing::node;
using numbers = std::vector<std::uint64_t>;

const auto sender = node("bender0");

batch of(std::uint64_t after, const numbers& items, std::string channel = "journal0") {
  batch b{std::move(channel), {}, after, 0, {}};
  for (auto n : items) b.items.push_back({n, make_notification(std::to_string(n))});
  return b;
}

numbers fresh(const inbox::taken& t) {
  numbers all;
  for (const auto& item : t.fresh) all.push_back(item.number);
  return all;
}

}  // namespace

TEST_CASE("parcels in order are taken once") {
  checked<inbox> in;

  auto first = in.receive(sender, of(0, {1, 2}));
  auto second = in.receive(sender, of(2, {3}));
  auto again = in.receive(sender, of(0, {1, 2}));

  CHECK(fresh(first) == numbers{1, 2});
  CHECK_FALSE(first.repeated);
  CHECK(fresh(second) == numbers{3});
  CHECK(fresh(again).empty());
  CHECK(again.repeated);
}

TEST_CASE("of a batch that was taken in part, the rest is taken") {
  checked<inbox> in;
  (void)in.receive(sender, of(0, {1, 2}));

  auto t = in.receive(sender, of(0, {1, 2, 3, 4}));

  CHECK(fresh(t) == numbers{3, 4});
  CHECK(t.repeated);
  CHECK_FALSE(t.gap);
}

TEST_CASE("a batch behind a gap is dropped, and taken when the gap is closed") {
  checked<inbox> in;
  (void)in.receive(sender, of(0, {1}));

  auto ahead = in.receive(sender, of(2, {3, 4}));
  auto missing = in.receive(sender, of(1, {2}));
  auto repeated = in.receive(sender, of(2, {3, 4}));

  CHECK(ahead.gap);
  CHECK(fresh(ahead).empty());
  CHECK(fresh(missing) == numbers{2});
  CHECK(fresh(repeated) == numbers{3, 4});
}

TEST_CASE("numbers may skip, also over some that were taken and that the sender has forgotten") {
  checked<inbox> in;
  (void)in.receive(sender, of(0, {1, 2, 3}));

  auto after_crash = in.receive(sender, of(2, {1025}));
  auto behind_the_skip = in.receive(sender, of(1025, {2000}));

  CHECK(fresh(after_crash) == numbers{1025});
  CHECK(fresh(behind_the_skip) == numbers{2000});
}

TEST_CASE("only what is durable may be acknowledged") {
  checked<inbox> in;
  (void)in.receive(sender, of(0, {1, 2, 3}));

  auto before = in.safe_upto(sender, "journal0");
  in.safe(sender, "journal0", 2);

  CHECK(before == acknowledgement{"journal0", 0});
  CHECK(in.safe_upto(sender, "journal0") == acknowledgement{"journal0", 2});
}

TEST_CASE("a receiver that comes back stands where its storage says") {
  checked<inbox> in;
  in.restore(sender, "journal0", 2);

  auto t = in.receive(sender, of(0, {1, 2, 3}));

  CHECK(fresh(t) == numbers{3});
  CHECK(in.safe_upto(sender, "journal0").upto == 2);
}

TEST_CASE("channels of other senders, and of a sender's other storage, count by themselves") {
  checked<inbox> in;
  (void)in.receive(sender, of(0, {1, 2}));

  CHECK(fresh(in.receive(node("bender2"), of(0, {1}))) == numbers{1});
  CHECK(fresh(in.receive(sender, of(0, {1}, "new disk"))) == numbers{1});
}

TEST_CASE("a sender's channels from before it lost its storage are forgotten") {
  checked<inbox> in;
  in.restore(sender, "disk1", 7);
  in.restore(sender, "disk2", 8);
  in.restore(sender, "disk3", 9);
  in.restore(node("bender2"), "disk1", 5);

  auto forgotten = in.forget_others(sender, "disk2");
  in.safe(sender, "disk1", 10);

  CHECK(forgotten == std::vector<std::string>{"disk1", "disk3"});
  CHECK(in.safe_upto(sender, "disk1").upto == 0);
  CHECK(in.safe_upto(sender, "disk2").upto == 8);
  CHECK(in.safe_upto(node("bender2"), "disk1").upto == 5);
}
