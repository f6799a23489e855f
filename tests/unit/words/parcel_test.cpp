#include "libflock/words/parcel.hpp"

#include "libflock/seams/message.hpp"
#include "tests/support/notifications.hpp"

#include <doctest/doctest.h>

namespace {

using namespace flock;
using flock::testing::at;
using flock::testing::make_notification;
using flock::testing::node;

receipt started(std::string id) { return {std::move(id), receipt_state::started, at(5), {}, {}, true}; }

value with(value body, const char* member, value other) {
  (*body.as_map())[member] = std::move(other);
  return body;
}

const batch sample{"journal1", {1, 2}, 6, 7, {{7, make_notification("a")}, {1025, started("b")}}};

}  // namespace

TEST_CASE("a notification and a receipt come back from their sent form as parcels") {
  for (const parcel& p : {parcel(make_notification("a")), parcel(started("a"))}) {
    auto back = parcel_from_value(to_value(p));

    REQUIRE(back.has_value());
    CHECK(*back == p);
  }
}

TEST_CASE("what is neither a notification nor a receipt is no parcel") {
  for (const value& v : {value(), value("text"), value(value::map{}), value(value::map{{"gift", 1}}),
                         value(value::map{{"receipt", "text"}}), value(value::map{{"notification", value::map{}}})}) {
    auto p = parcel_from_value(v);

    REQUIRE_FALSE(p.has_value());
    CHECK(p.error().code == error_code::bad_argument);
  }
}

TEST_CASE("a batch comes back from its body") {
  auto back = batch::from_body(sample.to_body());

  REQUIRE(back.has_value());
  CHECK(*back == sample);
}

TEST_CASE("a batch is packed into the bytes of its body, and sent so") {
  auto rich = sample;
  auto n = make_notification("c");
  n.arguments = {1, "two", value::map{{"three", 3.5}}};
  n.causes = {{node("bender0"), "file[/tmp/fubar]", "create"}, {node("bender1"), "log[x]", "write"}};
  n.retry_of = "b";
  rich.items.push_back({1026, n});
  rich.items.push_back({1027, receipt{"c", receipt_state::failed, at(-5), error{error_code::io, "no"},
                                      value::map{{"output", "x"}}, false}});

  for (const auto& b : {sample, rich, batch{"journal1", {1, 2}, 0, 0, {}}}) {
    CHECK(b.packed() == encode(b.to_body()));

    const auto sent = encode(message{message_kind::parcels, 0, {}, {}, {}, {}, b.packed()});
    const auto got = decode_message(sent);
    REQUIRE(got);
    CHECK(got->packed == b.packed());
    CHECK(batch::read(got->packed) == b);
  }
}

TEST_CASE("a batch without a member, or with one of the wrong kind, breaks the protocol") {
  for (const auto* member : {"channel", "to", "after", "again", "items"}) {
    for (const value& wrong : {value(), value(true), value(-1), value(value::list{1})}) {
      auto b = batch::from_body(with(sample.to_body(), member, wrong));

      CAPTURE(member);
      REQUIRE_FALSE(b.has_value());
      CHECK(b.error().code == error_code::protocol);
      CHECK(b.error().what.find(member) == 0);
    }
  }
  CHECK_FALSE(batch::from_body("text").has_value());
}

TEST_CASE("a batch whose numbers do not grow breaks the protocol") {
  auto same = sample;
  same.items[1].number = 7;
  auto not_after = sample;
  not_after.after = 7;

  CHECK(batch::from_body(same.to_body()).error().code == error_code::protocol);
  CHECK(batch::from_body(not_after.to_body()).error().code == error_code::protocol);
}

TEST_CASE("an acknowledgement comes back from its body") {
  const acknowledgement a{"journal1", 1025};

  auto back = acknowledgement::from_body(a.to_body());

  REQUIRE(back.has_value());
  CHECK(*back == a);
  CHECK(acknowledgement::from_body(value::map{{"channel", "journal1"}}).error().code == error_code::protocol);
  CHECK(acknowledgement::from_body(value::map{{"upto", 1}}).error().code == error_code::protocol);
}
