#include "libflock/calls/actor_host.hpp"

#include "tools/sim/manual_clock.hpp"
#include "tools/sim/manual_runtime.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

using namespace flock;
using namespace std::chrono_literals;

namespace {

actor_name named(std::string_view text) { return *actor_name::parse(text); }

/// What the test sees of its actors, beyond their lives.
struct diary {
  std::vector<std::string> lines;
  int made = 0;
  int alive = 0;
  bool can_be_made = true;
  std::optional<deferred<std::string>> open;
  std::optional<stream<int>> watched;
};

class itchy {
 public:
  explicit itchy(diary& d) : diary_(d) {
    if (!d.can_be_made) throw std::runtime_error("no ink");
    ++d.made;
    ++d.alive;
  }
  ~itchy() { --diary_.alive; }

  int fight(int n) {
    diary_.lines.push_back("fight " + std::to_string(n));
    return blows_ += n;
  }
  void explode() { throw std::runtime_error("boom"); }
  void explode_oddly() { throw 7; }
  result<int> refuse() { return error{error_code::not_owner, "not mine"}; }
  deferred<std::string> later() {
    diary_.open.emplace();
    return *diary_.open;
  }
  stream<int> watch(bool explodes) {
    if (explodes) throw std::runtime_error("boom");
    diary_.watched.emplace();
    return *diary_.watched;
  }

  template <class Api> static void describe(Api& api) {
    api.method("fight", &itchy::fight)
        .method("explode", &itchy::explode)
        .method("explode_oddly", &itchy::explode_oddly)
        .method("refuse", &itchy::refuse)
        .method("later", &itchy::later)
        .stream("watch", &itchy::watch);
  }

 private:
  diary& diary_;
  int blows_ = 0;
};

/// Lets calls wait after their turn has come, until the test says that they begin.
class patient final : public actor_object {
 public:
  struct held {
    beginning begin;
    responder answer;
  };
  explicit patient(std::vector<held>& waiting) : waiting_(waiting) {}
  ~patient() override { waiting_.clear(); }

  const std::vector<method_info>& methods() const override { return methods_; }
  void call(const asker&, std::string_view, value::list, beginning begin, responder answer) override {
    waiting_.push_back({std::move(begin), std::move(answer)});
  }

 private:
  std::vector<held>& waiting_;
  std::vector<method_info> methods_;
};

struct actor_host_fixture {
  flock::testing::manual_clock time;
  flock::testing::manual_runtime threads{time};
  diary pages;
  std::vector<std::string> reported;
  actor_host host{threads,
                  time,
                  {.mailbox = 3, .restart_first = 100ms, .restart_last = 400ms, .healthy = 10s},
                  {.published = [this](const actor_name& n) { reported.push_back("published " + n.str()); },
                   .unpublished = [this](const actor_name& n) { reported.push_back("unpublished " + n.str()); },
                   .restarted = [this](const actor_name& n,
                                       const error& why) { reported.push_back(n.str() + ": " + to_string(why)); }}};

  result<void> publish(std::string_view name = "itchy") {
    return host.publish(named(name), "itchy", [this]() -> std::unique_ptr<actor_object> {
      return std::make_unique<described_actor<itchy>>(std::make_unique<itchy>(pages));
    });
  }

  struct answer {
    std::vector<result<value>> given;
    std::string text() const {
      if (given.size() != 1) return std::to_string(given.size()) + " answers";
      return given.front() ? to_json(*given.front()) : to_string(given.front().error());
    }
  };
  using answer_ptr = std::shared_ptr<answer>;

  answer_ptr invoke(std::string method, value::list arguments = {}, time_point until = actor_host::no_deadline) {
    auto back = std::make_shared<answer>();
    host.invoke(
        {*node_id::parse("springfield"), until}, named("itchy"), std::move(method), std::move(arguments),
        [this] {
          pages.lines.push_back("started");
          return true;
        },
        [back](result<value> r) { back->given.push_back(std::move(r)); });
    return back;
  }

  std::string call(std::string method, value::list arguments = {}) {
    auto back = invoke(std::move(method), std::move(arguments));
    threads.run_ready();
    return back->text();
  }
};

}  // namespace

TEST_CASE_FIXTURE(actor_host_fixture, "an actor answers its calls in their order, and keeps its state") {
  REQUIRE(publish());

  auto first = invoke("fight", {1});
  auto second = invoke("fight", {2});
  threads.run_ready();

  CHECK(first->text() == "1");
  CHECK(second->text() == "3");
  CHECK(pages.lines == std::vector<std::string>{"started", "fight 1", "started", "fight 2"});
  CHECK(reported == std::vector<std::string>{"published itchy"});
}

TEST_CASE_FIXTURE(actor_host_fixture, "an actor's object is made in its own turn") {
  REQUIRE(publish());

  CHECK(pages.made == 0);
  threads.run_ready();
  CHECK(pages.made == 1);
}

TEST_CASE_FIXTURE(actor_host_fixture, "a name is published once, and again after it was unpublished") {
  REQUIRE(publish());

  auto twice = publish();
  CHECK(twice.error().code == error_code::conflict);
  host.unpublish(named("itchy"));
  CHECK(publish());

  CHECK(call("fight", {1}) == "1");
  CHECK(reported == std::vector<std::string>{"published itchy", "unpublished itchy", "published itchy"});
}

TEST_CASE_FIXTURE(actor_host_fixture, "an actor that is not here answers not_found at once") {
  auto back = invoke("fight", {1});

  CHECK(back->text() == "not_found: no actor named itchy");
}

TEST_CASE_FIXTURE(actor_host_fixture, "wrong calls and refusals by the method leave the actor as it is") {
  REQUIRE(publish());

  CHECK(call("dance") == "no_such_method: no method dance");
  CHECK(call("fight").starts_with("bad_argument: "));
  CHECK(call("fight", {"hard"}).starts_with("bad_argument: "));
  CHECK(call("refuse") == "not_owner: not mine");

  CHECK(pages.made == 1);
  CHECK(host.find(named("itchy"))->restarts == 0);
}

TEST_CASE_FIXTURE(actor_host_fixture, "a call whose deadline passes in the queue is not done") {
  REQUIRE(publish());
  threads.run_ready();

  auto in_time = invoke("fight", {1}, time.now() + 1s);
  auto late = invoke("fight", {1}, time.now() + 1s - 1ns);
  time.advance(1s);
  threads.run_ready();

  CHECK(in_time->text() == "1");
  CHECK(late->text() == "timeout: the turn of itchy came too late");
  CHECK(pages.lines == std::vector<std::string>{"started", "fight 1"});
}

TEST_CASE_FIXTURE(actor_host_fixture, "an object whose calls wait in a queue of its own says when they begin") {
  std::vector<patient::held> waiting;
  REQUIRE(host.publish(named("itchy"), "itchy", [&] { return std::make_unique<patient>(waiting); }));
  auto first = invoke("wait", {}, time.now() + 2s);
  auto late = invoke("wait", {}, time.now() + 1s);
  threads.run_ready();
  auto dropped = invoke("wait");
  auto unanswered = invoke("wait");
  threads.run_ready();
  REQUIRE(waiting.size() == 4);
  CHECK(pages.lines.empty());

  time.advance(1s + 1ns);
  CHECK(waiting[0].begin());
  CHECK_FALSE(waiting[1].begin());
  CHECK(waiting[3].begin());
  CHECK(pages.lines == std::vector<std::string>{"started", "started"});
  waiting[0].answer(value("done"));
  CHECK(first->text() == "\"done\"");
  CHECK(late->text() == "timeout: the turn of itchy came too late");

  host.unpublish(named("itchy"));
  threads.run_ready();
  CHECK(dropped->text() == "down: itchy was unpublished");
  CHECK(unanswered->text() == "maybe_done: dropped without an answer");
}

TEST_CASE_FIXTURE(actor_host_fixture, "what was begun and is too late to be begun once more may have been done") {
  std::vector<patient::held> waiting;
  REQUIRE(host.publish(named("itchy"), "itchy", [&] { return std::make_unique<patient>(waiting); }));
  auto call = invoke("wait", {}, time.now() + 1s);
  threads.run_ready();
  CHECK(waiting[0].begin());
  CHECK(waiting[0].begin());

  time.advance(1s + 1ns);

  CHECK_FALSE(waiting[0].begin());
  CHECK(call->text() == "maybe_done: it was begun, and is too late to be begun once more");
  host.unpublish(named("itchy"));
  threads.run_ready();
}

TEST_CASE_FIXTURE(actor_host_fixture, "a full mailbox refuses, and takes more when there is room") {
  REQUIRE(publish());

  for (int i = 0; i < 3; ++i) invoke("fight", {1});
  CHECK(host.find(named("itchy"))->waiting == 3);
  auto refused = invoke("fight", {1});
  CHECK(refused->text() == "refused: the mailbox of itchy is full");

  CHECK(host.list().at(0).waiting == 3);
  threads.run_ready();
  CHECK(host.list().at(0).waiting == 0);
  CHECK(call("fight", {1}) == "4");
}

TEST_CASE_FIXTURE(actor_host_fixture, "an actor that throws says why, and is made anew after the backoff") {
  REQUIRE(publish());
  CHECK(call("fight", {5}) == "5");

  CHECK(call("explode") == "down: itchy threw: boom");
  CHECK(pages.alive == 0);
  CHECK(reported.back() == "itchy: down: itchy threw: boom");
  threads.advance(99ms);
  CHECK(pages.made == 1);
  threads.advance(1ms);

  CHECK(pages.made == 2);
  CHECK(call("fight", {1}) == "1");
  CHECK(host.find(named("itchy"))->restarts == 1);
}

TEST_CASE_FIXTURE(actor_host_fixture, "whatever an actor throws, its caller gets an answer") {
  REQUIRE(publish());

  CHECK(call("explode_oddly") == "down: itchy threw: something that is no std::exception");
}

TEST_CASE_FIXTURE(actor_host_fixture, "calls that come while an actor is made anew are handled then, in their order") {
  REQUIRE(publish());
  CHECK(call("explode").starts_with("down"));

  auto first = invoke("fight", {1});
  threads.run_ready();
  auto impatient = invoke("fight", {10}, time.now() + 50ms);
  threads.run_ready();
  auto last = invoke("fight", {2});
  CHECK(host.find(named("itchy"))->waiting == 3);
  CHECK(first->given.empty());
  threads.advance(100ms);

  CHECK(first->text() == "1");
  CHECK(impatient->text() == "timeout: the turn of itchy came too late");
  CHECK(last->text() == "3");
}

TEST_CASE_FIXTURE(actor_host_fixture, "a held call that throws leaves the others waiting for the next object") {
  REQUIRE(publish());
  CHECK(call("explode").starts_with("down"));
  auto again = invoke("explode");
  auto other = invoke("fight", {1});

  threads.advance(100ms);
  CHECK(again->text() == "down: itchy threw: boom");
  CHECK(other->given.empty());
  threads.advance(200ms);

  CHECK(other->text() == "1");
}

TEST_CASE_FIXTURE(actor_host_fixture, "an actor that cannot be made is tried again after longer and longer times") {
  pages.can_be_made = false;
  const auto begin = time.now();
  REQUIRE(publish());
  threads.run_ready();

  std::vector<milliseconds> tries;
  for (int i = 0; i < 5; ++i) {
    tries.push_back(std::chrono::floor<milliseconds>(*threads.next_timer() - begin));
    threads.advance(*threads.next_timer() - time.now());
  }

  CHECK(tries == std::vector<milliseconds>{100ms, 300ms, 700ms, 1100ms, 1500ms});
  CHECK(reported.back() == "itchy: down: itchy threw: no ink");
  auto patient = invoke("fight", {1});
  pages.can_be_made = true;
  threads.advance(400ms);
  CHECK(patient->text() == "1");
  CHECK(host.find(named("itchy"))->restarts == 6);
}

TEST_CASE_FIXTURE(actor_host_fixture, "the backoff starts again after a healthy time") {
  REQUIRE(publish());
  CHECK(call("explode").starts_with("down"));
  threads.advance(100ms);
  CHECK(call("explode").starts_with("down"));
  CHECK(*threads.next_timer() - time.now() == 200ms);
  threads.advance(10s);

  CHECK(call("explode").starts_with("down"));

  CHECK(*threads.next_timer() - time.now() == 100ms);
}

TEST_CASE_FIXTURE(actor_host_fixture, "an actor that becomes another one was never gone, and keeps what waits for it") {
  REQUIRE(publish());
  std::vector<patient::held> waiting;
  const auto make = [&] { return std::make_unique<patient>(waiting); };
  auto before = invoke("fight", {1});

  CHECK(host.replace(named("itchy"), "patient", make));
  auto after = invoke("wait");
  threads.run_ready();

  CHECK(before->text() == "1");
  REQUIRE(waiting.size() == 1);
  CHECK(host.find(named("itchy"))->type == "patient");
  CHECK_FALSE(host.replace(named("scratchy"), "patient", make));
  waiting[0].answer(value(1));
  CHECK(after->text() == "1");
  host.unpublish(named("itchy"));
  threads.run_ready();
}

TEST_CASE_FIXTURE(actor_host_fixture, "unpublishing handles nothing more and answers those that wait with down") {
  REQUIRE(publish());
  threads.run_ready();
  auto waiting = invoke("fight", {1});

  host.unpublish(named("itchy"));

  CHECK(waiting->text() == "down: itchy was unpublished");
  threads.run_ready();
  CHECK(pages.lines.empty());
  CHECK(pages.alive == 0);
  CHECK(invoke("fight", {1})->text() == "not_found: no actor named itchy");
  CHECK_FALSE(host.has(named("itchy")));
}

TEST_CASE_FIXTURE(actor_host_fixture, "unpublishing answers those that wait for a new object") {
  REQUIRE(publish());
  CHECK(call("explode").starts_with("down"));
  auto waiting = invoke("fight", {1});
  threads.run_ready();

  host.unpublish(named("itchy"));

  CHECK(waiting->text() == "down: itchy was unpublished");
  CHECK_FALSE(threads.next_timer());
}

TEST_CASE_FIXTURE(actor_host_fixture, "an actor may unpublish itself, and still answers that call") {
  struct mayfly {
    actor_host& host;
    int dance() { return host.unpublish(named("mayfly")), 1; }
    static void describe(method_table<mayfly>& api) { api.method("dance", &mayfly::dance); }
  };
  REQUIRE(host.publish(named("mayfly"), "mayfly", [this]() -> std::unique_ptr<actor_object> {
    return std::make_unique<described_actor<mayfly>>(std::make_unique<mayfly>(mayfly{host}));
  }));
  std::vector<result<value>> first, second;

  for (auto* to : {&first, &second})
    host.invoke({*node_id::parse("springfield")}, named("mayfly"), "dance", {}, {},
                [to](auto r) { to->push_back(std::move(r)); });
  threads.run_ready();

  REQUIRE(first.size() == 1);
  CHECK(first[0] == result<value>(value(1)));
  REQUIRE(second.size() == 1);
  CHECK(second[0].error().code == error_code::down);
}

TEST_CASE_FIXTURE(actor_host_fixture,
                  "a deferred answer comes when it is settled, also after the actor was made anew") {
  REQUIRE(publish());

  auto back = invoke("later");
  threads.run_ready();
  CHECK(back->given.empty());
  CHECK(call("explode").starts_with("down"));
  threads.advance(100ms);
  pages.open->settle(std::string("at last"));

  CHECK(back->text() == "\"at last\"");
}

TEST_CASE_FIXTURE(actor_host_fixture, "a call that is dropped after it began may have been done") {
  REQUIRE(publish());
  auto back = invoke("later");
  threads.run_ready();

  pages.open.reset();

  CHECK(back->text() == "maybe_done: dropped without an answer");
}

TEST_CASE_FIXTURE(actor_host_fixture,
                  "an object that loses a responder still gives an answer, and only one if it gives two") {
  struct careless final : actor_object {
    const std::vector<method_info>& methods() const override {
      static const std::vector<method_info> none;
      return none;
    }
    void call(const asker&, std::string_view method, value::list, beginning begin, responder answer) override {
      if (!begin()) return;
      if (method == "twice") answer(value(1)), answer(value(2));
      if (method == "answer and throw") answer(value(1)), throw std::runtime_error("boom");
    }
  };
  REQUIRE(host.publish(named("itchy"), "careless", [] { return std::make_unique<careless>(); }));

  CHECK(call("lose") == "maybe_done: dropped without an answer");
  CHECK(call("twice") == "1");
  CHECK(call("answer and throw") == "1");
}

TEST_CASE_FIXTURE(actor_host_fixture, "the list has names, types and methods, in the order of names") {
  REQUIRE(publish("scratchy"));
  REQUIRE(publish("itchy"));
  threads.run_ready();

  auto all = host.list();

  REQUIRE(all.size() == 2);
  CHECK(all[0].name == "itchy");
  CHECK(all[0].type == "itchy");
  REQUIRE(all[0].methods.size() == 6);
  CHECK(all[0].methods[0].name == "fight");
  CHECK(all[1].name == "scratchy");
  CHECK_FALSE(host.find(named("poochie")));
}

TEST_CASE_FIXTURE(actor_host_fixture, "who waits for an actor is told once: now, when it comes, or at the deadline") {
  std::vector<std::string> told;
  auto wait = [&](std::string who, time_point until) {
    host.when_published(named("itchy"), until, [&told, who](bool here) { told.push_back(who + (here ? " +" : " -")); });
  };

  wait("impatient", time.now() + 1s);
  wait("patient", time.now() + 2s);
  wait("endless", actor_host::no_deadline);
  wait("late", time.now());
  threads.run_ready();
  CHECK(told == std::vector<std::string>{"late -"});
  threads.advance(1s);
  CHECK(told.back() == "impatient -");
  threads.advance(999ms);
  REQUIRE(publish());
  wait("afterwards", time.now() + 1s);
  threads.advance(10s);

  CHECK(told == std::vector<std::string>{"late -", "impatient -", "patient +", "endless +", "afterwards +"});
}

TEST_CASE_FIXTURE(actor_host_fixture, "at the very deadline, the first to come decides") {
  std::vector<bool> told;
  host.when_published(named("itchy"), time.now() + 1s, [&](bool here) { told.push_back(here); });
  time.advance(1s);

  REQUIRE(publish());
  threads.run_ready();

  CHECK(told == std::vector<bool>{true});
}

TEST_CASE_FIXTURE(actor_host_fixture, "stopping unpublishes all, answers all who wait, and publishes nothing more") {
  REQUIRE(publish());
  threads.run_ready();
  auto waiting = invoke("fight", {1});
  std::vector<bool> told;
  host.when_published(named("scratchy"), time.now() + 1s, [&](bool here) { told.push_back(here); });

  host.stop();
  host.stop();

  CHECK(waiting->text() == "down: itchy was unpublished");
  CHECK(told == std::vector<bool>{false});
  CHECK(host.list().empty());
  CHECK(reported.back() == "unpublished itchy");
  CHECK(publish().error().code == error_code::shutting_down);
  host.when_published(named("scratchy"), actor_host::no_deadline, [&](bool here) { told.push_back(here); });
  CHECK(told == std::vector<bool>{false, false});
}

TEST_CASE_FIXTURE(actor_host_fixture,
                  "a method that yields many values is followed in the actor's turn, once it is made") {
  std::vector<result<value_stream>> opened;
  const auto open = [&](bool explodes, time_point until = actor_host::no_deadline) {
    host.follow({*node_id::parse("scratchy"), until}, named("itchy"), "watch", {explodes},
                [&](result<value_stream> s) { opened.push_back(std::move(s)); });
    threads.run_ready();
    return opened.size();
  };
  const auto last_error = [&] { return to_string(opened.back().error()); };

  CHECK(open(false) == 1);
  CHECK(last_error() == "not_found: no actor named itchy");
  REQUIRE(publish());
  CHECK(open(false) == 2);
  REQUIRE(opened.back());
  value::list seen;
  const auto following = opened.back()->follow([&](value v) { seen.push_back(std::move(v)); }, [](const auto&) {});
  pages.watched->put(7);
  CHECK((seen == value::list{7}));

  CHECK(open(true) == 3);
  CHECK(last_error() == "down: itchy threw: boom");
  CHECK(open(false) == 3);  // it is being made anew
  threads.advance(1s);
  CHECK(opened.size() == 4);
  CHECK(opened.back());
  CHECK(open(false, time.now() - 1ms) == 5);
  CHECK(last_error() == "timeout: the turn of itchy came too late");
}

TEST_CASE_FIXTURE(actor_host_fixture, "who waits to follow an actor that is unpublished is told") {
  REQUIRE(publish());
  threads.run_ready();
  std::optional<error> why;
  host.follow({*node_id::parse("scratchy")}, named("itchy"), "watch", {false},
              [&](const result<value_stream>& s) { why = s.error(); });

  host.unpublish(named("itchy"));
  threads.run_ready();

  REQUIRE(why);
  CHECK(why->code == error_code::down);
}
