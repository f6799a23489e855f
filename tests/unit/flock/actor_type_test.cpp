#include <flock/actor_type.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

using flock::deferred;
using flock::error;
using flock::error_code;
using flock::method_info;
using flock::method_table;
using flock::result;
using flock::value;

namespace {

struct base {
  virtual ~base() = default;
  virtual int first() { return 1; }
};

struct other_base {
  virtual ~other_base() = default;
  virtual int second() { return 2; }
};

struct itchy : base, other_base {
  int blows = 0;
  std::string name_ = "itchy";
  deferred<std::string> later;

  std::string fight(int n) { return (blows += n) % 6 < 3 ? "Bite!" : "Fight!"; }
  result<int> draw(std::optional<int> most) {
    if (!most) return error{error_code::refused, "nothing to draw from"};
    return *most;
  }
  deferred<std::string> wait() { return later; }
  deferred<void> wait_for_nothing() const { return {}; }
  result<void> rest() { return {}; }
  void reset() noexcept { blows = 0; }
  const std::string& name() const { return name_; }
  int sum(const std::vector<int>& numbers, double) const noexcept { return static_cast<int>(numbers.size()); }
  int fall() { throw std::runtime_error("fell"); }
  std::string greet(const flock::asker& by, const std::string& word) { return word + ", " + by.node.str(); }
  bool waits_seven_seconds(flock::asker by) const { return by.until == flock::time_point(std::chrono::seconds(7)); }
  flock::stream<int> count(int from) {
    flock::stream<int> numbers;
    numbers.put(from);
    numbers.put(from + 1);
    numbers.end();
    return numbers;
  }
  int unlisted() { return 0; }

  template <class Api> static void describe(Api& api) {
    api.method("fight", &itchy::fight, "Hits so many times.")
        .method("draw", &itchy::draw)
        .method("wait", &itchy::wait)
        .method("wait_for_nothing", &itchy::wait_for_nothing)
        .method("rest", &itchy::rest)
        .method("reset", &itchy::reset)
        .method("name", &itchy::name)
        .method("sum", &itchy::sum)
        .method("fall", &itchy::fall)
        .method("first", &itchy::first)
        .method("second", &itchy::second)
        .method("greet", &itchy::greet)
        .method("waits_seven_seconds", &itchy::waits_seven_seconds)
        .stream("count", &itchy::count, "Numbers.");
  }
};

struct fixture {
  itchy* itself = nullptr;
  std::unique_ptr<flock::actor_object> actor;
  int answers = 0;
  std::optional<result<value>> answer;

  fixture() {
    auto object = std::make_unique<itchy>();
    itself = object.get();
    actor = std::make_unique<flock::described_actor<itchy>>(std::move(object));
  }

  void call(std::string_view method, const value::list& arguments = {}) {
    actor->call(
        {*flock::node_id::parse("springfield"), flock::time_point(std::chrono::seconds(7))}, method, arguments,
        [] { return true; },
        [this](result<value> r) {
          ++answers;
          answer.emplace(std::move(r));
        });
  }

  void answers_with(const value& expected) {
    CHECK(answers == 1);
    REQUIRE(answer);
    REQUIRE(*answer);
    CHECK(**answer == expected);
  }

  void fails_with(const error& expected) {
    CHECK(answers == 1);
    REQUIRE(answer);
    REQUIRE_FALSE(*answer);
    CHECK(answer->error() == expected);
  }
};

}  // namespace

TEST_CASE("a description says what people need to know of each method") {
  fixture f;
  const auto& methods = f.actor->methods();

  REQUIRE(methods.size() == 14);
  CHECK(methods[0] == method_info{"fight", "Hits so many times.", {"integer"}, "text"});
  CHECK(methods[1] == method_info{"draw", "", {"integer?"}, "integer"});
  CHECK(methods[2] == method_info{"wait", "", {}, "text"});
  CHECK(methods[3] == method_info{"wait_for_nothing", "", {}, "nothing"});
  CHECK(methods[4] == method_info{"rest", "", {}, "nothing"});
  CHECK(methods[5] == method_info{"reset", "", {}, "nothing"});
  CHECK(methods[6] == method_info{"name", "", {}, "text"});
  CHECK(methods[7] == method_info{"sum", "", {"list of integer", "number"}, "integer"});
  CHECK(methods[11] == method_info{"greet", "", {"text"}, "text"});  // nobody passes the asker
  CHECK(methods[13] == method_info{"count", "Numbers.", {"integer"}, "integer", true});
}

TEST_CASE_FIXTURE(fixture, "a method that returns a value answers with it") {
  call("fight", {1});

  answers_with("Bite!");
  CHECK(itself->blows == 1);
}

TEST_CASE_FIXTURE(fixture, "a method that returns a reference answers with what it refers to") {
  call("name");

  answers_with("itchy");
}

TEST_CASE_FIXTURE(fixture, "a method that returns nothing answers with null") {
  itself->blows = 3;

  call("reset");

  answers_with(nullptr);
  CHECK(itself->blows == 0);
}

TEST_CASE_FIXTURE(fixture, "a method that returns a result answers with its value") {
  call("draw", {7});

  answers_with(7);
}

TEST_CASE_FIXTURE(fixture, "a method that returns a result answers with its error") {
  call("draw", {nullptr});

  fails_with({error_code::refused, "nothing to draw from"});
}

TEST_CASE_FIXTURE(fixture, "a method that returns done answers with null") {
  call("rest");

  answers_with(nullptr);
}

TEST_CASE_FIXTURE(fixture, "a method that returns a deferred answers when that is settled") {
  call("wait");
  CHECK(answers == 0);

  itself->later.settle(std::string("now"));

  answers_with("now");
}

TEST_CASE_FIXTURE(fixture, "a method whose deferred is dropped answers maybe_done") {
  call("wait_for_nothing");

  CHECK(answers == 1);
  CHECK(answer->error().code == error_code::maybe_done);
}

TEST_CASE_FIXTURE(fixture, "an actor that goes with a deferred unsettled answers maybe_done") {
  call("wait");

  actor.reset();

  CHECK(answers == 1);
  CHECK(answer->error().code == error_code::maybe_done);
}

TEST_CASE_FIXTURE(fixture, "arguments may be of several kinds") {
  call("sum", {value::list{1, 2, 3}, 4});

  answers_with(3);
}

TEST_CASE_FIXTURE(fixture, "a method that wants to know is told who asks, and how long they wait") {
  SUBCASE("before the arguments") {
    call("greet", {"hello"});
    answers_with("hello, springfield");
  }
  SUBCASE("by value") {
    call("waits_seven_seconds");
    answers_with(true);
  }
  SUBCASE("and no caller says so himself") {
    call("greet", {"bender0", "hello"});
    fails_with({error_code::bad_argument, "takes 1 argument(s), got 2"});
  }
}

TEST_CASE_FIXTURE(fixture, "another number of arguments is refused, and nothing is called") {
  SUBCASE("too few") {
    call("fight");
    fails_with({error_code::bad_argument, "takes 1 argument(s), got 0"});
  }
  SUBCASE("too many") {
    call("fight", {1, 2});
    fails_with({error_code::bad_argument, "takes 1 argument(s), got 2"});
  }
  SUBCASE("none wanted") {
    call("reset", {1});
    fails_with({error_code::bad_argument, "takes 0 argument(s), got 1"});
  }
  CHECK(itself->blows == 0);
}

TEST_CASE_FIXTURE(fixture, "an argument of the wrong kind is refused by its place, the first one if there are more") {
  SUBCASE("the only one") {
    call("fight", {"hard"});
    fails_with({error_code::bad_argument, "argument 1: expected an integer, found text"});
  }
  SUBCASE("the second") {
    call("sum", {value::list{}, "x"});
    fails_with({error_code::bad_argument, "argument 2: expected a number, found text"});
  }
  SUBCASE("inside the first, and the second") {
    call("sum", {value::list{1, true}, "x"});
    fails_with({error_code::bad_argument, "argument 1: element 1: expected an integer, found boolean"});
  }
}

TEST_CASE_FIXTURE(fixture, "a method that is not described cannot be called") {
  call("unlisted");

  fails_with({error_code::no_such_method, "no method unlisted"});
}

TEST_CASE_FIXTURE(fixture, "what a method throws goes up, and nothing is answered") {
  CHECK_THROWS_WITH(call("fall"), "fell");

  CHECK(answers == 0);
}

TEST_CASE("a pointer to a method leads to its name") {
  const auto& table = method_table<itchy>::of();

  CHECK(*table.name_of(&itchy::fight) == "fight");
  CHECK(*table.name_of(&itchy::sum) == "sum");
  CHECK(*table.name_of(&itchy::reset) == "reset");
  CHECK(table.name_of(&itchy::unlisted) == nullptr);
}

TEST_CASE("methods that two bases inherit at the same place are told apart") {
  const auto& table = method_table<itchy>::of();

  CHECK(*table.name_of(&itchy::first) == "first");
  CHECK(*table.name_of(&itchy::second) == "second");

  fixture f;
  f.call("second");
  f.answers_with(2);
}

TEST_CASE_FIXTURE(fixture, "a method that yields many values is followed") {
  const flock::asker by{*flock::node_id::parse("scratchy")};
  std::vector<value> counted;
  bool ended = false;

  actor->follow(by, "count", {7}, [&](flock::result<flock::value_stream> s) {
    REQUIRE(s);
    s->follow([&](value v) { counted.push_back(std::move(v)); },
              [&](const result<void>& how) { ended = how.has_value(); });
  });

  CHECK((counted == value::list{7, 8}));
  CHECK(ended);
}

TEST_CASE_FIXTURE(fixture,
                  "what yields many values is not called, what yields one is not followed, and either says so") {
  const flock::asker by{*flock::node_id::parse("scratchy")};
  std::optional<error> why;
  const auto keep = [&](const flock::result<flock::value_stream>& s) { why = s.error(); };

  call("count", {7});
  fails_with({error_code::bad_argument, "count yields many values: it is followed on its own node, not called"});
  actor->follow(by, "fight", {1}, keep);
  CHECK(why == error{error_code::bad_argument, "fight yields one value: it is called, not followed"});
  actor->follow(by, "count", {"x"}, keep);
  CHECK(why == error{error_code::bad_argument, "argument 1: expected an integer, found text"});
  actor->follow(by, "unlisted", {}, keep);
  CHECK(why == error{error_code::no_such_method, "no method unlisted"});
}
