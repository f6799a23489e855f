#include "tests/support/manual_clock.hpp"
#include "tests/support/manual_runtime.hpp"
#include "tests/support/manual_storage.hpp"
#include "tests/support/memory_network.hpp"
#include <flock/memory_registry.hpp>
#include <flock/node_core.hpp>

#include <doctest/doctest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace flock;
using flock::testing::manual_clock;
using flock::testing::manual_runtime;
using flock::testing::manual_storage;
using flock::testing::memory_network;

namespace {

struct counter {
  int count = 0;
  int add(int n) { return count += n; }
  deferred<int> never() {
    kept.emplace_back();
    return kept.back();
  }
  void note(const value&) { ++count; }
  std::vector<deferred<int>> kept;
  template <class Api> static void describe(Api& api) {
    api.method("add", &counter::add).method("never", &counter::never).method("note", &counter::note);
  }
};

node_id id(const std::string& text) { return *node_id::parse(text); }

/// Nodes in one thread: real cores over a network, registry and storage in memory.
struct small_flock {
  manual_clock time;
  manual_runtime threads{time};
  memory_network network{threads, time};
  std::shared_ptr<memory_tree> tree = make_memory_tree();

  struct member {
    std::unique_ptr<transport> wire;
    std::unique_ptr<memory_registry> registry;
    std::unique_ptr<manual_storage> disk;
    std::shared_ptr<node_core> core;
    node_core* operator->() const { return core.get(); }
  };
  std::map<std::string, member> members;
  std::uint64_t lives = 0;

  ~small_flock() {
    for (auto& [name, m] : members) m.core->stop([] {});
    threads.run_ready();
    for (auto& [name, m] : members) m.wire->stop();
    threads.stop(time.now());
  }

  member& start(const std::string& name, bool resumed = true, const std::string& address = {}) {
    auto& m = members[name];
    hello self{"/flock", id(name), {1, ++lives}, "0", address, "", name + std::to_string(lives)};
    if (m.disk)
      self.journal = m.disk->id();
    else
      m.disk = std::make_unique<manual_storage>(self.journal);
    m.wire = network.attach(self);
    m.registry = std::make_unique<memory_registry>(tree, threads.make_mailbox("registry"));
    node_core::options o{.self = self, .advertise = {}, .about = {}, .log = {}};
    m.core = node_core::make({threads, *m.wire, time, *m.registry, *m.disk}, std::move(o));
    REQUIRE(m.core->start());
    if (resumed) m.core->resume();
    settle();
    return m;
  }

  /// The process is gone, without a word.
  void kill(const std::string& name) {
    network.kill(id(name));
    auto& m = members.at(name);
    m.registry->expire();  // as its session's time-out does
    m.core->home().close();
    m.registry->stop();
    settle();
  }

  /// Killed, and started again with what its disk has kept.
  member& restart(const std::string& name) {
    kill(name);
    auto& m = members.at(name);
    m.disk->crash();
    m.disk->release();
    return start(name);
  }

  void settle() { threads.advance(100ms); }

  void publish(member& m, const std::string& name) {
    auto make = [] { return std::make_unique<described_actor<counter>>(std::make_unique<counter>()); };
    REQUIRE(m->publish(*actor_name::parse(name), "counter", make));
    settle();
  }

  /// Asks and lets time pass until the answer is there.
  result<value> ask(member& m, const std::string& where, const std::string& method, value::list arguments,
                    milliseconds within = 5s) {
    std::optional<result<value>> answer;
    m->ask(*address::parse(where), method, std::move(arguments), time.now() + within,
           [&](result<value> r) { answer = std::move(r); });
    threads.advance(within + 1ms);
    REQUIRE_MESSAGE(answer.has_value(), "no answer by the deadline");
    return *answer;
  }

  std::vector<std::string> events(member& m) {
    std::vector<std::string> out;
    const auto all = m->events().since({});
    for (const auto& e : all->events) out.push_back(e.type);
    return out;
  }
};

bool contains(const std::vector<std::string>& all, const std::string& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

error_code code(const result<value>& r) {
  REQUIRE_FALSE(r.has_value());
  return r.error().code;
}

}  // namespace

TEST_CASE("messages without an answer are delivered in order, between calls") {
  small_flock f;
  auto& a = f.start("a");
  auto& b = f.start("b");
  f.publish(b, "counter");
  REQUIRE(f.ask(a, "b/counter", "add", {0}));  // so they are connected

  for (int i = 0; i < 3; ++i) CHECK(a->send(*address::parse("b/counter"), "note", {i}));

  CHECK(*f.ask(a, "b/counter", "add", {0}) == value(3));
  CHECK(b->send(*address::parse("b/counter"), "note", {1}));
  CHECK(*f.ask(a, "b/counter", "add", {0}) == value(4));
}

TEST_CASE("a message without an answer is refused where it is seen that it cannot arrive") {
  small_flock f;
  auto& a = f.start("a");
  auto& b = f.start("b");
  f.publish(b, "counter");

  CHECK(a->send(*address::parse("counter"), "note", {1}).error().code == error_code::bad_argument);
  CHECK(a->send(*address::parse("a/counter"), "note", {1}).error().code == error_code::not_found);
  CHECK(a->send(*address::parse("b/counter"), "note", {1}).error().code == error_code::unreachable);
  f.settle();
  CHECK_MESSAGE(a->send(*address::parse("b/counter"), "note", {1}), "a connection was made for the next one");
}

TEST_CASE("a message without an answer that cannot be delivered is told of on its receiver, and ends nothing") {
  small_flock f;
  auto& a = f.start("a");
  auto& b = f.start("b");
  f.publish(b, "counter");
  REQUIRE(f.ask(a, "b/counter", "add", {0}));

  CHECK(a->send(*address::parse("b/nobody"), "note", {1}));
  CHECK(a->send(*address::parse("b/flock"), "ping", {}));
  CHECK(a->send(*address::parse("b/counter"), "no_such_method", {}));
  f.settle();

  std::vector<std::string> told;
  for (const auto& t : b->troubles().lines()) told.push_back(t.text);
  REQUIRE(told.size() == 2);
  CHECK(told[0] == "dropped a message of a: no actor named nobody");
  CHECK(told[1] == "dropped a message of a: a node takes calls only");
  CHECK(*f.ask(a, "b/counter", "add", {0}) == value(0));
}

TEST_CASE("an actor of another node answers, wherever it is asked for by name") {
  small_flock f;
  auto& a = f.start("a");
  auto& b = f.start("b");
  f.publish(b, "counter");

  CHECK(f.ask(a, "b/counter", "add", {2}) == result<value>(2));
  CHECK(f.ask(a, "counter", "add", {3}) == result<value>(5));
  CHECK(f.ask(b, "counter", "add", {1}) == result<value>(6));
  CHECK(code(f.ask(a, "b/counter", "dance", {})) == error_code::no_such_method);
  CHECK(code(f.ask(a, "b/counter", "add", {"two"})) == error_code::bad_argument);
  CHECK(code(f.ask(a, "b/nobody", "add", {1})) == error_code::not_found);
}

TEST_CASE("a node that nobody knows is not found, and an actor that nobody publishes neither") {
  small_flock f;
  auto& a = f.start("a");

  CHECK(code(f.ask(a, "nowhere/counter", "add", {1})) == error_code::not_found);
  CHECK(code(f.ask(a, "nowhere/counter", "add", {1})) == error_code::not_found);  // known to be absent by now
  CHECK(code(f.ask(a, "counter", "add", {1})) == error_code::not_found);
}

TEST_CASE("a call that is not answered in time may be done") {
  small_flock f;
  auto& a = f.start("a");
  auto& b = f.start("b");
  f.publish(b, "counter");

  CHECK(code(f.ask(a, "b/counter", "never", {}, 1s)) == error_code::maybe_done);
  CHECK(code(f.ask(b, "b/counter", "never", {}, 1s)) == error_code::maybe_done);
}

TEST_CASE("a call that was not sent by its deadline is not sent when there is a way again") {
  small_flock f;
  auto& a = f.start("a");
  auto& b = f.start("b");
  f.publish(b, "counter");
  REQUIRE(f.ask(a, "b/counter", "add", {1}) == result<value>(1));
  f.network.disturb({.delay_least = 3s, .delay_most = 3s});
  f.network.drop(id("a"), id("b"));
  f.settle();

  CHECK(code(f.ask(a, "b/counter", "add", {1}, 1s)) == error_code::timeout);
  f.threads.advance(20s);
  REQUIRE(a->peers().contains(id("b")));
  f.network.disturb({});

  CHECK(f.ask(a, "b/counter", "add", {1}) == result<value>(2));
}

TEST_CASE("calls and monitors outlive a connection that breaks and comes back") {
  small_flock f;
  auto& a = f.start("a");
  auto& b = f.start("b");
  f.publish(b, "counter");
  std::optional<result<value>> answer;
  int fired = 0;
  a->ask(*address::parse("b/counter"), "never", {}, f.time.now() + 1h, [&](result<value> r) { answer = std::move(r); });
  a->monitor(*address::parse("b/counter"), [&](const error&) { ++fired; });
  f.settle();

  f.network.drop(id("a"), id("b"));
  f.threads.advance(10s);
  CHECK(a->peers().contains(id("b")));
  CHECK_FALSE(answer.has_value());
  CHECK(fired == 0);

  f.kill("b");
  CHECK(answer.has_value());
  CHECK(fired == 1);
}

TEST_CASE("a node that comes back at another address is dialled there, though its clock is behind") {
  small_flock f;
  auto& a = f.start("a");
  auto& b = f.start("b");
  f.publish(b, "counter");
  REQUIRE(f.ask(a, "b/counter", "add", {1}));
  f.network.cut_both(id("a"), id("b"));
  f.kill("b");

  f.time.set_wall(f.time.wall() - 1h);
  f.start("b", true, "b:2");
  f.threads.advance(5s);
  f.network.heal();
  f.threads.advance(10s);

  REQUIRE(a->known_nodes().find(id("b")));
  CHECK(a->known_nodes().find(id("b"))->state == node_state::alive);
  CHECK(a->peers().contains(id("b")));
}

TEST_CASE("a call to a node that was killed is answered before its deadline") {
  small_flock f;
  auto& a = f.start("a");
  auto& b = f.start("b");
  f.publish(b, "counter");
  REQUIRE(f.ask(a, "b/counter", "add", {1}));
  std::optional<result<value>> answer;
  a->ask(*address::parse("b/counter"), "never", {}, f.time.now() + 1h, [&](result<value> r) { answer = std::move(r); });
  f.settle();
  REQUIRE_FALSE(answer.has_value());

  f.kill("b");

  REQUIRE(answer.has_value());
  CHECK(code(*answer) == error_code::maybe_done);
  CHECK(contains(f.events(a), "failed"));
}

TEST_CASE("a monitor fires once: when its node dies, or the actor goes, or is not there at all") {
  small_flock f;
  auto& a = f.start("a");
  auto& b = f.start("b");
  f.publish(b, "stays");
  f.publish(b, "goes");
  int stays = 0, goes = 0, absent = 0;
  a->monitor(*address::parse("b/stays"), [&](const error& why) { stays += why.code == error_code::down; });
  a->monitor(*address::parse("b/goes"), [&](const error& why) { goes += why.code == error_code::down; });
  a->monitor(*address::parse("b/absent"), [&](const error& why) { absent += why.code == error_code::down; });
  f.settle();
  CHECK(absent == 1);
  CHECK(goes == 0);

  b->unpublish(*actor_name::parse("goes"));
  f.settle();
  CHECK(goes == 1);
  CHECK(stays == 0);

  f.kill("b");
  CHECK(stays == 1);
  CHECK(goes == 1);
}

TEST_CASE("find waits for a node and an actor that come later") {
  small_flock f;
  auto& a = f.start("a");
  std::optional<result<address>> there, anywhere;
  a->find(*address::parse("b/counter"), f.time.now() + 10s, [&](result<address> r) { there = std::move(r); });
  a->find(*address::parse("counter"), f.time.now() + 10s, [&](result<address> r) { anywhere = std::move(r); });
  f.settle();
  REQUIRE_FALSE(there.has_value());

  auto& b = f.start("b");
  f.publish(b, "counter");
  f.threads.advance(2s);

  REQUIRE(there.has_value());
  CHECK(there->has_value());
  REQUIRE(anywhere.has_value());
  CHECK(anywhere->has_value());
}

TEST_CASE("find gives up at its deadline") {
  small_flock f;
  auto& a = f.start("a");
  std::optional<result<address>> found;
  a->find(*address::parse("b/counter"), f.time.now() + 1s, [&](result<address> r) { found = std::move(r); });
  f.threads.advance(1001ms);
  REQUIRE(found.has_value());
  CHECK_FALSE(found->has_value());
}

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

TEST_CASE("without the registry, nodes that know each other go on") {
  small_flock f;
  auto& a = f.start("a");
  auto& b = f.start("b");
  f.publish(b, "counter");
  REQUIRE(f.ask(a, "b/counter", "add", {1}));

  a.registry->expire();
  a.registry->suspend();
  b.registry->suspend();
  f.threads.advance(1min);

  CHECK(f.ask(a, "b/counter", "add", {1}) == result<value>(2));
  REQUIRE(a->known_nodes().find(id("b")));
  CHECK(a->known_nodes().find(id("b"))->state == node_state::alive);

  a.registry->resume();
  b.registry->resume();
  f.threads.advance(10s);
  CHECK(a->is_joined());
  CHECK(b->is_joined());
}

TEST_CASE("a node that knows nobody while the registry is away lists itself at once") {
  small_flock f;
  auto& a = f.start("a");
  a.registry->expire();
  a.registry->suspend();
  f.settle();
  std::optional<result<std::vector<node_info>>> listed;

  a->nodes({}, f.time.now() + 1h, [&](auto r) { listed = std::move(r); });

  REQUIRE(listed.has_value());
  REQUIRE(listed->has_value());
  REQUIRE((*listed)->size() == 1);
  CHECK((**listed)[0].id == id("a"));
}

TEST_CASE("a node that was called dead while the registry could not vouch for it is asked when it can") {
  small_flock f;
  auto& a = f.start("a");
  auto& b = f.start("b");
  f.publish(b, "counter");
  REQUIRE(f.ask(a, "b/counter", "add", {1}));

  a.registry->suspend();
  b.registry->suspend();
  f.network.cut_both(id("a"), id("b"));
  f.threads.advance(20s);
  REQUIRE(a->known_nodes().find(id("b"))->state == node_state::dead);
  REQUIRE(b->known_nodes().find(id("a"))->state == node_state::dead);

  f.network.heal();
  a.registry->resume();  // within its session, so that it lists b as before
  f.threads.advance(10s);

  CHECK(a->known_nodes().find(id("b"))->state == node_state::alive);
}

TEST_CASE("nodes that take each other for dead find each other, though the registry says nothing new") {
  small_flock f;
  auto& a = f.start("a");
  auto& b = f.start("b");
  f.publish(b, "counter");
  for (auto* m : {&a, &b}) (*m)->nodes({}, f.time.now(), [](const auto&) {});  // from now on they read the lists
  f.settle();
  REQUIRE(f.ask(a, "b/counter", "add", {1}));
  for (auto* m : {&a, &b}) m->registry->suspend();
  f.network.cut_both(id("a"), id("b"));
  f.threads.advance(20s);
  for (auto* m : {&a, &b}) m->registry->resume();  // within their sessions, and before the network is mended
  f.threads.advance(1min);
  REQUIRE(a->known_nodes().find(id("b"))->state == node_state::dead);
  REQUIRE(b->known_nodes().find(id("a"))->state == node_state::dead);

  f.network.heal();
  f.threads.advance(35s);

  CHECK(a->known_nodes().find(id("b"))->state == node_state::alive);
  CHECK(b->known_nodes().find(id("a"))->state == node_state::alive);
}

TEST_CASE("peers of another environment are not admitted") {
  small_flock f;
  auto& a = f.start("a");
  auto& b = f.start("b");
  f.publish(b, "counter");
  b->admit_by(policy("elsewhere"));

  CHECK(code(f.ask(a, "b/counter", "add", {1})) == error_code::refused);
}

TEST_CASE("a node that stops answers what waits, and whoever asks later") {
  small_flock f;
  auto& a = f.start("a");
  auto& b = f.start("b");
  f.publish(b, "counter");
  std::optional<result<value>> waiting;
  a->ask(*address::parse("b/counter"), "never", {}, f.time.now() + 1h,
         [&](result<value> r) { waiting = std::move(r); });
  f.settle();
  bool stopped = false;
  a->stop([&] { stopped = true; });
  f.settle();
  CHECK(stopped);
  std::optional<result<value>> later;
  // Its callbacks are closed as well: only a blocking caller could hear of it.
  CHECK_FALSE(a->publish(*actor_name::parse("x"), "x", nullptr));
}
