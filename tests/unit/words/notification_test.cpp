#include "libflock/words/notification.hpp"

#include <doctest/doctest.h>

namespace {

using namespace flock;

notification a_notification() {
  return {"bender0-1-7",
          *node_id::parse("bender0"),
          *node_id::parse("bender1"),
          *actor_name::parse("execute[kill all humans]"),
          "run",
          {1, "two"},
          {{*node_id::parse("bender0"), "file[/tmp/fubar]", "create"}},
          wall_time(milliseconds(1'700'000'000'123)),
          wall_time(milliseconds(1'700'086'400'123))};
}

/// Every enumerator has a name that is read back, and the name after the last one is none.
template <class E> void check_names(std::optional<E> (*from)(std::string_view), E last) {
  for (int i = 1; i <= static_cast<int>(last); ++i) {
    CAPTURE(i);
    CHECK(from(to_string(static_cast<E>(i))) == static_cast<E>(i));
    CHECK_FALSE(to_string(static_cast<E>(i)).empty());
  }
  CHECK_FALSE(from("no such name"));
}

template <class T> std::string hex(const T& written) {
  std::string bytes, out;
  written.write(bytes);
  for (const unsigned char byte : bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    out.append({digits[byte >> 4], digits[byte & 15]});
  }
  return out;
}

}  // namespace

TEST_CASE("every name of a notification's enums is read back") {
  check_names(receipt_state_from, last_receipt_state);
  check_names(timing_from, last_timing);
  check_names(on_outcome_from, last_on_outcome);
  check_names(outcome_from, last_outcome);
}

TEST_CASE("timing knows the word of the first Flock") { CHECK(timing_from("immediate") == timing::immediately); }

TEST_CASE("a receipt is final from succeeded on") {
  CHECK_FALSE(is_terminal(receipt_state::queued));
  CHECK_FALSE(is_terminal(receipt_state::accepted));
  CHECK_FALSE(is_terminal(receipt_state::started));
  CHECK(is_terminal(receipt_state::succeeded));
  CHECK(is_terminal(receipt_state::failed));
  CHECK(is_terminal(receipt_state::expired));
  CHECK(is_terminal(receipt_state::cancelled));
  CHECK(is_terminal(receipt_state::unknown));
}

TEST_CASE("a notification comes back as it was written") {
  auto n = a_notification();

  CHECK(notification::from_value(n.to_value()) == n);
}

TEST_CASE("a notification that repeats another one says which, and others say nothing of it") {
  auto n = a_notification();
  CHECK(n.to_value()["retry_of"].is_null());

  n.retry_of = "bender0-1-3";

  CHECK(n.to_value()["retry_of"] == value("bender0-1-3"));
  CHECK(notification::from_value(n.to_value()) == n);
}

TEST_CASE("a notification of a newer version may have more members") {
  auto v = a_notification().to_value();
  v.as_map()->emplace("colour", "red");

  CHECK(notification::from_value(v) == a_notification());
}

TEST_CASE("a notification that is wrong is refused with the member's name") {
  auto v = a_notification().to_value();

  SUBCASE("missing") {
    v.as_map()->erase("target");
    CHECK(notification::from_value(v).error() == error{error_code::bad_argument, "target: missing"});
  }
  SUBCASE("of the wrong kind") {
    (*v.as_map())["expires"] = "soon";
    CHECK(notification::from_value(v).error().what == "expires: expected a number of milliseconds, found text");
  }
  SUBCASE("a cause") {
    (*v.as_map())["causes"] = value::list{value::map{}};
    CHECK(notification::from_value(v).error().what == "causes: node: missing");
  }
  SUBCASE("too many causes") {
    (*v.as_map())["causes"] = value::list(notification::max_causes + 1, v["causes"].as_list()->front());
    CHECK(notification::from_value(v).error().what == "causes: 33 causes: something goes round in circles");
  }
  SUBCASE("no map") { CHECK(notification::from_value(3).error().what == "expected a map, found integer"); }
}

TEST_CASE("a receipt comes back as it was written") {
  receipt failed{"bender0-1-7",
                 receipt_state::failed,
                 wall_time(milliseconds(12)),
                 error{error_code::io, "no disk"},
                 value::map{{"exit_status", 1}},
                 true};
  receipt queued{.id = "bender0-1-8"};

  CHECK(receipt::from_value(failed.to_value()) == failed);
  CHECK(receipt::from_value(queued.to_value()) == queued);
}

TEST_CASE("a receipt in a state of a newer version is refused") {
  auto v = receipt{.id = "bender0-1-7"}.to_value();
  (*v.as_map())["state"] = "dreamt";

  CHECK(receipt::from_value(v).error().what ==
        "state: \"dreamt\" is none of queued, accepted, started, succeeded, failed, expired, cancelled, unknown");
}

// Written by version 0.1: journals on disk and nodes that were not upgraded have this form.
TEST_CASE("the form of notifications and receipts is that of the first version") {
  const auto at = wall_time(milliseconds(1'700'000'000'123));
  notification n{"b0-7",
                 *node_id::parse("b0"),
                 *node_id::parse("b1"),
                 *actor_name::parse("log[a]"),
                 "write",
                 {1, "two"},
                 {{*node_id::parse("b0"), "file[f]", "create"}},
                 at,
                 wall_time(milliseconds(1'700'086'400'123))};
  CHECK(
      hex(n) ==
      "080906616374696f6e05057772697465056163746f7205066c6f675b615d09617267756d656e747307020302050374776f06636175736573"
      "0701080306616374696f6e0506637265617465046e6f646505026230087265736f75726365050766696c655b665d0763726561746564"
      "03f6a1abfef962076578706972657303f691ded0fa62026964050462302d370673656e646572050262300674617267657405026231");
  n.retry_of = "b0-3";
  CHECK(
      hex(n) ==
      "080a06616374696f6e05057772697465056163746f7205066c6f675b615d09617267756d656e747307020302050374776f06636175736573"
      "0701080306616374696f6e0506637265617465046e6f646505026230087265736f75726365050766696c655b665d0763726561746564"
      "03f6a1abfef962076578706972657303f691ded0fa62026964050462302d370872657472795f6f66050462302d330673656e64657205"
      "0262300674617267657405026231");

  const receipt failed{
      "b0-7", receipt_state::failed, at, error{error_code::io, "no"}, value::map{{"outcome", "failed"}}, true};
  CHECK(hex(failed) ==
        "080602617403f6a1abfef962056572726f72080204636f64650502696f047768617405026e6f026964050462302d37076f7574636f6d65"
        "0801076f7574636f6d6505066661696c65640b726564656c6976657265640205737461746505066661696c6564");
  const receipt queued{"b0-7", receipt_state::queued, wall_time(milliseconds(5)), {}, {}, false};
  CHECK(hex(queued) == "0804026174030a026964050462302d370b726564656c697665726564010573746174650506717565756564");
}
