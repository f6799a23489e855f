#include "tests/support/small_flock.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

// Notifications between nodes, and who wishes to hear of what.

using namespace flock;
using namespace flock::testing;
using namespace std::chrono_literals;

TEST_CASE("a notification is performed on its target, and its receipts come back") {
  small_flock f;
  auto& a = f.start("a");
  auto& b = f.start("b");
  f.publish(b, "log[x]");
  std::vector<std::string> states;
  auto handle = a->on_progress([&](const notification_record& r) { states.emplace_back(to_string(r.state())); });
  wanted_action w;
  w.resource = *resource_name::parse("log[x]");
  w.action = "never";
  w.where.nodes = {id("b")};
  std::size_t sent = 0;
  a->notify(w, [&](result<std::vector<notifier::sent>> s) { sent = s ? s->size() : 99; });
  f.settle();

  CHECK(sent == 1);
  // It takes a context that this actor does not know: failed, and said so.
  REQUIRE_FALSE(states.empty());
  CHECK(states.back() == "failed");
}

TEST_CASE("whoever performs a notification is told that its sender asks") {
  small_flock f;
  auto& a = f.start("a");
  auto& b = f.start("b");
  f.publish(b, "log[x]");
  std::vector<std::string> outcomes;
  auto handle = a->on_progress([&](const notification_record& r) { outcomes.push_back(to_json(r.last().outcome)); });
  wanted_action w;
  w.resource = *resource_name::parse("log[x]");
  w.action = "who";
  w.where.nodes = {id("b")};

  a->notify(w, [](auto) {});
  f.settle();

  REQUIRE_FALSE(outcomes.empty());
  CHECK(outcomes.back() == "\"a\"");
}

TEST_CASE("an action that nobody declared is refused before it is accepted") {
  small_flock f;
  auto& a = f.start("a");
  f.start("b");
  std::vector<std::string> states;
  auto handle = a->on_progress([&](const notification_record& r) { states.emplace_back(to_string(r.state())); });
  wanted_action w;
  w.resource = *resource_name::parse("execute[x]");
  w.action = "run";
  w.where.nodes = {id("b")};
  a->notify(w, [](auto) {});
  f.settle();

  CHECK_FALSE(contains(states, "accepted"));
  REQUIRE_FALSE(states.empty());
  CHECK(states.back() == "failed");
}

TEST_CASE("nobody is notified of a node that does not exist") {
  small_flock f;
  auto& a = f.start("a");
  wanted_action w;
  w.resource = *resource_name::parse("execute[x]");
  w.action = "run";
  w.where.nodes = {id("nowhere")};
  std::optional<error> why;
  a->notify(w, [&](result<std::vector<notifier::sent>> s) { why = s ? std::optional<error>() : s.error(); });
  f.threads.advance(6s);
  REQUIRE(why.has_value());
  CHECK(why->code == error_code::not_found);
}

TEST_CASE("whoever asks for a notification is answered in time, however long the disk takes") {
  small_flock f;
  auto& a = f.start("a");
  f.start("b");
  a.disk->hold();
  wanted_action w;
  w.resource = *resource_name::parse("execute[x]");
  w.action = "run";
  w.where.nodes = {id("b")};
  std::optional<result<std::vector<notifier::sent>>> sent;
  a->notify(w, f.time.now() + 1s, [&](auto s) { sent = std::move(s); });
  f.threads.advance(999ms);
  CHECK_FALSE(sent.has_value());

  f.threads.advance(1ms);

  REQUIRE(sent.has_value());
  REQUIRE((*sent)->size() == 1);
  const auto& target = (**sent)[0];
  CHECK(target.taken.error().code == error_code::maybe_done);
  REQUIRE(a->deliveries().records().find(target.id));  // and it is what it is
  CHECK(a->deliveries().records().find(target.id)->state() == receipt_state::queued);

  a.disk->release();
  f.settle();
  CHECK(a->deliveries().records().find(target.id)->state() == receipt_state::failed);  // nobody declared it
}

TEST_CASE("what is sent again is the same under another id, and says what it repeats") {
  small_flock f;
  auto& a = f.start("a");
  f.start("b");
  wanted_action w;
  w.resource = *resource_name::parse("execute[x]");
  w.action = "run";
  w.where.nodes = {id("b")};
  w.causes = {{id("a"), "file[x]", "create"}};
  std::string first;
  a->notify(w, [&](result<std::vector<notifier::sent>> s) { first = s->at(0).id; });
  f.settle();
  const auto& before = a->deliveries().records().find(first)->what;

  f.threads.advance(1min);
  const auto again = a->again(before);

  CHECK(again.id != first);
  CHECK(again.retry_of == first);
  CHECK(again.expires == before.expires + 1min + 100ms);
  CHECK(again.target == before.target);
  CHECK(again.actor == before.actor);
  CHECK(again.action == before.action);
  CHECK(again.causes == before.causes);
}

TEST_CASE("events go on over a restart, and tell of nothing that a crash took back") {
  small_flock f;
  auto& a = f.start("a");
  const auto before = a->events().since({})->events;
  REQUIRE_FALSE(before.empty());
  a.disk->hold();
  a->home().post([&] { a->add_event("never durable", {}); });
  f.settle();
  CHECK_FALSE(contains(f.events(a), "never durable"));

  f.restart("a");

  const auto later = a->events().since(before.back().cursor);
  REQUIRE(later);
  CHECK_FALSE(later->gap);
  REQUIRE_FALSE(later->events.empty());
  CHECK(later->events.front().number == before.back().number + 1);
  CHECK_FALSE(contains(f.events(a), "never durable"));
}

TEST_CASE("an end and its event are durable together") {
  int ends = 0;
  for (int writes = 1; writes <= 3; ++writes) {
    small_flock f;
    auto& a = f.start("a");
    auto& b = f.start("b");
    f.publish(b, "log[x]");
    REQUIRE(f.ask(a, "b/log[x]", "add", {1}));  // so that they are connected
    wanted_action w;
    w.resource = *resource_name::parse("log[x]");
    w.action = "note";
    w.where.nodes = {id("b")};
    b.disk->hold();
    a->notify(w, [](auto) {});
    for (int i = 0; i < writes; ++i) {
      f.settle();
      b.disk->sync_one();
    }

    auto& again = f.restart("b");

    const bool has_ended = !again->deliveries().records().list(receipt_state::succeeded, {}).empty();
    CHECK(contains(f.events(again), "succeeded") == has_ended);
    ends += has_ended ? 1 : 0;
  }
  CHECK(ends > 0);
}

TEST_CASE("a publisher knows its subscribers, also after it was started again") {
  small_flock f;
  auto& b = f.start("b");
  location publishers;
  publishers.nodes = {id("a")};
  const auto watched = *resource_name::parse("file[x]");
  b->subscribe({subscription::make(watched, publishers, *resource_name::parse("execute[y]"), "run", timing::delayed)});
  f.settle();

  auto& a = f.start("a");
  f.threads.advance(2s);
  const auto wanted = a->notifications().wanted_by_subscribers(watched);
  REQUIRE(wanted.size() == 1);
  CHECK(wanted[0].where.nodes == std::vector{id("b")});

  f.kill("a");
  auto& again = f.start("a");
  f.threads.advance(10s);
  CHECK(again->notifications().wanted_by_subscribers(watched).size() == 1);

  b->subscribe({});
  f.threads.advance(2s);
  CHECK(again->notifications().wanted_by_subscribers(watched).empty());
}

TEST_CASE("a publisher that was started again knows a subscriber that it has not met since") {
  small_flock f;
  const auto file = *resource_name::parse("file[x]");
  auto& a = f.start("a");
  auto& b = f.start("b");
  location at_b;
  at_b.nodes = {id("b")};
  const auto wish = subscription::make(file, at_b, *resource_name::parse("log[y]"), "write", timing::immediately);
  a->home().post([&] { a->subscribe({wish}); });
  f.settle();
  REQUIRE(b->notifications().wanted_by_subscribers(file).size() == 1);
  f.kill("a");
  f.kill("b");

  f.start("b");
  REQUIRE(b->notifications().wanted_by_subscribers(file).size() == 1);
  CHECK(b->notifications().wanted_by_subscribers(file).front().action == "write");
  CHECK(b->notifications().wanted_by_subscribers(file).front().where == location{{id("a")}, {}, {}, {}, {}, false});

  f.start("a");  // it does not wish any more
  REQUIRE(f.ask(a, "b/flock", "ping", {}));
  CHECK(b->notifications().wanted_by_subscribers(file).empty());
  f.kill("b");
  f.start("b");
  CHECK(b->notifications().wanted_by_subscribers(file).empty());
}

TEST_CASE("what arrives before a node performs is performed later, though its sender was gone for a while") {
  small_flock f;
  auto& a = f.start("a");
  auto& b = f.start("b", false);
  f.publish(b, "log[x]");
  std::vector<std::string> states;
  auto handle = a->on_progress([&](const notification_record& r) { states.emplace_back(to_string(r.state())); });
  wanted_action w;
  w.resource = *resource_name::parse("log[x]");
  w.action = "note";
  w.where.nodes = {id("b")};
  a->notify(w, [](auto) {});
  f.settle();
  REQUIRE(states == std::vector<std::string>{"queued"});

  f.network.cut_both(id("a"), id("b"));
  f.network.drop(id("a"), id("b"));
  f.settle();
  b->resume();
  f.settle();
  f.network.heal();
  f.threads.advance(10s);

  CHECK(states.back() == "succeeded");
}
