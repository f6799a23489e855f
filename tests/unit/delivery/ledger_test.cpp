#include "libflock/delivery/ledger.hpp"

#include "tests/support/checked.hpp"
#include "tests/support/notifications.hpp"

#include <doctest/doctest.h>

#include <algorithm>

namespace {

using namespace flock;
using flock::testing::at;
using flock::testing::checked;
using flock::testing::make_notification;
using flock::testing::node;
using ids = std::vector<std::string>;
using enum receipt_state;

receipt make(std::string id, receipt_state s, int ms = 0) { return {std::move(id), s, at(ms), {}, {}, false}; }

checked<ledger> with(const ids& names, ledger::options o = {}) {
  checked<ledger> l(o);
  for (const auto& id : names) REQUIRE(l.add(make_notification(id), make(id, queued)));
  return l;
}

ids names(const std::vector<const notification_record*>& records) {
  ids all;
  for (const auto* r : records) all.push_back(r->what.id);
  return all;
}

notification_record finished(value outcome) {
  notification_record r{
      make_notification("a"), {make("a", queued, 1), make("a", accepted, 2), make("a", started, 3)}, 1};
  r.receipts.push_back({"a", failed, at(4), error{error_code::io, "exit status 3"}, std::move(outcome), true});
  r.what.causes = {{node("bender2"), "file[/tmp/fubar]", "create"}};
  return r;
}

}  // namespace

TEST_CASE("a notification goes through its states, and each is kept with its time") {
  auto l = with({"a"});

  CHECK(l.record(make("a", accepted, 1)));
  CHECK(l.record(make("a", started, 2)));
  CHECK(l.record(make("a", succeeded, 3)));

  const auto& r = *l.find("a");
  CHECK(r.state() == succeeded);
  CHECK(r.receipts.size() == 4);
  CHECK(r.receipts[2].at == at(2));
  CHECK(r.attempts == 1);
  CHECK_FALSE(r.redelivered());
}

TEST_CASE("a state never goes back") {
  auto l = with({"a"});
  (void)l.record(make("a", started));

  for (auto s : {queued, accepted, started}) CHECK_FALSE(l.record(make("a", s)));
  CHECK(l.find("a")->state() == started);
  CHECK(l.find("a")->attempts == 1);
}

TEST_CASE("a terminal state is final") {
  for (auto final_one : {succeeded, failed, expired, cancelled, unknown}) {
    auto l = with({"a"});
    CHECK(l.record(make("a", final_one)));

    for (auto s : {started, succeeded, failed, expired, cancelled, unknown}) CHECK_FALSE(l.record(make("a", s)));
    CHECK(l.find("a")->state() == final_one);
    CHECK(l.open() == 0);
  }
}

TEST_CASE("an action that is started again counts, and is marked") {
  auto l = with({"a"});
  (void)l.record(make("a", started, 1));
  auto again = make("a", started, 2);
  again.redelivered = true;

  CHECK(l.record(again));

  CHECK(l.find("a")->attempts == 2);
  CHECK(l.find("a")->redelivered());
  CHECK(l.find("a")->last().at == at(2));
  CHECK(l.find("a")->receipts.size() == 2);
}

TEST_CASE("an id is known once, and a receipt of an unknown one changes nothing") {
  auto l = with({"a"});

  CHECK_FALSE(l.add(make_notification("a"), make("a", accepted)));
  CHECK_FALSE(l.record(make("b", accepted)));
  CHECK(l.find("a")->state() == queued);
  CHECK(l.find("b") == nullptr);
  CHECK(l.size() == 1);
}

TEST_CASE("notifications are listed newest first, by state and by node") {
  auto l = with({"z", "a"});
  auto elsewhere = make_notification("m");
  elsewhere.target = node("bender2");
  (void)l.add(elsewhere, make("m", queued));
  (void)l.record(make("a", accepted));

  CHECK(names(l.list({}, {})) == ids{"m", "a", "z"});
  CHECK(names(l.list(accepted, {})) == ids{"a"});
  CHECK(names(l.list({}, node("bender1"))) == ids{"a", "z"});
  CHECK(names(l.list(queued, node("bender1"))) == ids{"z"});
  CHECK(names(l.list(unknown, {})).empty());
}

TEST_CASE("those are overdue whose time has passed and that are not settled") {
  checked<ledger> l(ledger::options{});
  for (auto [id, expires] : {std::pair("late", 30), {"first", 10}, {"second", 20}, {"done", 10}}) {
    auto n = make_notification(id);
    n.expires = at(expires);
    (void)l.add(n, make(id, queued));
  }
  (void)l.record(make("done", succeeded));

  CHECK(names(l.overdue(at(9))).empty());
  CHECK(names(l.overdue(at(20))) == ids{"first", "second"});
  CHECK(l.open() == 3);
}

TEST_CASE("beyond the bound the ones that were settled first are forgotten, open ones never") {
  auto l = with({"open", "a", "b", "c"}, {.keep = 1, .age = milliseconds(1000)});
  (void)l.record(make("c", succeeded, 1));
  (void)l.record(make("a", succeeded, 2));
  (void)l.record(make("b", succeeded, 3));

  CHECK(l.trim(at(10)) == ids{"c", "a"});
  CHECK(names(l.list({}, {})) == ids{"b", "open"});
}

TEST_CASE("settled ones are forgotten after their age") {
  auto l = with({"a", "b"}, {.keep = 10, .age = milliseconds(1000)});
  (void)l.record(make("a", failed, 1));
  (void)l.record(make("b", failed, 2));

  CHECK(l.trim(at(1000)).empty());
  CHECK(l.trim(at(1001)) == ids{"a"});
  CHECK(l.size() == 1);
  CHECK(l.find("a") == nullptr);
}

TEST_CASE("a restored record is where it was") {
  checked<ledger> l(ledger::options{});

  CHECK(l.restore(finished({})));
  CHECK(l.restore({make_notification("b"), {make("b", queued)}, 0}));
  CHECK_FALSE(l.restore({make_notification("b"), {make("b", queued)}, 0}));

  CHECK(l.open() == 1);
  CHECK(l.find("a")->state() == failed);
  CHECK_FALSE(l.record(make("a", succeeded)));
  CHECK(names(l.list({}, {})) == ids{"b", "a"});
  CHECK(l.trim(at(1000'000'000)) == ids{"a"});
}

TEST_CASE("a record is shown with its times, and the outcome of an action is taken apart") {
  auto shown = finished(value::map{{"outcome", "failed"}, {"exit_status", 3}, {"output", "no toast"}}).to_value();

  const auto expected = from_json(R"({
    "id": "a", "node": "bender1", "resource": "execute[toast]", "action": "run",
    "state": "failed", "error": {"code": "io", "message": "exit status 3"},
    "sender": "bender0", "causes": [{"node": "bender2", "resource": "file[/tmp/fubar]", "action": "create"}],
    "created": "2026-01-31T00:00:00.000Z", "expires": "2026-01-31T01:00:00.000Z",
    "attempts": 1, "redelivered": true,
    "times": {"queued": "2026-01-31T00:00:00.001Z", "accepted": "2026-01-31T00:00:00.002Z",
              "started": "2026-01-31T00:00:00.003Z", "failed": "2026-01-31T00:00:00.004Z"},
    "outcome": "failed", "exit_status": 3, "output": "no toast", "performed_with": null, "retry_of": null
  })");
  REQUIRE(expected.has_value());
  CHECK(shown == *expected);
}

TEST_CASE("what a method of an actor returned is shown as it is") {
  for (const value& returned : {value("Bite!"), value(7), value(value::map{{"blow", 1}}), value()}) {
    auto shown = finished(returned).to_value();

    CHECK(shown["outcome"] == returned);
    CHECK(shown["exit_status"].is_null());
    CHECK(shown["output"].is_null());
  }
}

TEST_CASE("a record comes back from its stored form") {
  const auto r = finished(value::map{{"outcome", "failed"}, {"exit_status", 3}, {"output", blob{"\xff"}}});

  auto back = notification_record::from_stored(r.to_stored());

  REQUIRE(back.has_value());
  CHECK(*back == r);
}

TEST_CASE("a record is stored as the bytes of its stored form, also with an end that is not recorded yet") {
  const auto ended = finished(value::map{{"outcome", "updated"}});
  CHECK(ended.stored() == encode(ended.to_stored()));

  auto open = ended;
  open.receipts.pop_back();

  CHECK(open.stored() == encode(open.to_stored()));
  CHECK(open.stored(&ended.last()) == ended.stored());
}

TEST_CASE("what is no stored record is refused") {
  auto stored = finished({}).to_stored();
  for (const auto* member : {"what", "receipts", "attempts"}) {
    auto broken = stored;
    (*broken.as_map())[member] = "text";
    CHECK(notification_record::from_stored(broken).error().code == error_code::bad_argument);
  }
  (*stored.as_map())["receipts"] = value::list{};
  CHECK_FALSE(notification_record::from_stored(stored).has_value());
  CHECK_FALSE(notification_record::from_stored(7).has_value());
}

TEST_CASE("a stored record that contradicts itself is refused, and not relied on") {
  const auto refused = [](const notification_record& r) {
    const auto read = notification_record::from_stored(r.to_stored());
    REQUIRE_FALSE(read.has_value());
    return read.error().what;
  };
  auto never_started = finished({});
  std::erase_if(never_started.receipts, [](const receipt& r) { return r.state == started; });
  auto of_another = finished({});
  of_another.receipts.front().id = "b";
  auto back_again = finished({});
  back_again.receipts.push_back(make("a", accepted));

  CHECK(refused(never_started) == "a has 1 attempts, and its receipts say otherwise");
  CHECK(refused(of_another) == "a has a receipt of b");
  CHECK(refused(back_again) == "a is accepted after it was failed");
}
