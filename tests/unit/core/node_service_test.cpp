#include "libflock/core/node_service.hpp"

#include "tests/support/small_flock.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <string>

// What a node answers for itself. The forms are those that nodes of other versions send and expect.

using namespace flock;
using namespace flock::testing;
using namespace std::chrono_literals;

namespace {

value wish_form(const std::string& id) {
  return value::map{
      {"id", id}, {"watched", "file[x]"}, {"resource", "log[y]"}, {"action", "write"}, {"timing", "delayed"}};
}

}  // namespace

TEST_CASE_FIXTURE(counting_pair, "a node answers a ping with nothing, from here and from elsewhere") {
  CHECK(ask(a, "b/flock", "ping", {}) == result<value>(nullptr));
  CHECK(ask(b, "b/flock", "ping", {}) == result<value>(nullptr));
  CHECK(code(ask(a, "b/flock", "pong", {})) == error_code::no_such_method);
  CHECK(code(ask(a, "b/flock", "ping", {1})) == error_code::bad_argument);
}

TEST_CASE_FIXTURE(counting_pair, "a node lists its actors as anybody can read them, and not itself") {
  const auto actors = *ask(a, "b/flock", "actors", {});

  REQUIRE(actors.as_list());
  REQUIRE(actors.as_list()->size() == 1);
  const auto& counter = actors.as_list()->front();
  CHECK(counter["node"] == value("b"));
  CHECK(counter["name"] == value("counter"));
  CHECK(counter["type"] == value("counter"));
  CHECK(counter["waiting"] == value(0));
  CHECK(counter["restarts"] == value(0));
  CHECK(counter["methods"].as_list()->front() == value(value::map{{"name", "add"},
                                                                  {"doc", ""},
                                                                  {"parameters", value::list{"integer"}},
                                                                  {"returns", "integer"},
                                                                  {"streams", false}}));
}

TEST_CASE_FIXTURE(counting_pair, "whether an actor is there is answered when it is, or at the deadline") {
  CHECK(ask(a, "b/flock", "await", {"counter"}) == result<value>(true));

  std::optional<result<value>> later, never;
  const auto until = time.now() + 10s;
  a->ask_node(id("b"), "await", {"late"}, until, [&](result<value> r) { later = std::move(r); });
  b->ask_node(id("b"), "await", {"absent"}, until, [&](result<value> r) { never = std::move(r); });
  settle();
  CHECK_FALSE(later);
  publish(b, "late");
  CHECK(later == result<value>(true));

  threads.advance(10s);
  CHECK(never == result<value>(false));
  CHECK(code(ask(a, "b/flock", "await", {})) == error_code::bad_argument);
  CHECK(code(ask(a, "b/flock", "await", {7})) == error_code::bad_argument);
}

TEST_CASE_FIXTURE(counting_pair, "that an actor is gone is answered with down, and one that is not here is not found") {
  std::optional<result<value>> gone;
  a->ask_node(id("b"), "until_gone", {"counter"}, time_point::max(), [&](result<value> r) { gone = std::move(r); });
  settle();
  CHECK_FALSE(gone);

  b->unpublish(*actor_name::parse("counter"));
  settle();

  REQUIRE(gone);
  CHECK(gone->error() == error{error_code::down, "no longer published"});
  CHECK(ask(a, "b/flock", "until_gone", {"counter"}).error() == error{error_code::not_found, "no actor counter on b"});
}

TEST_CASE_FIXTURE(counting_pair, "wishes are those of whoever tells them, all of them each time") {
  const auto watched = *resource_name::parse("file[x]");
  REQUIRE(ask(a, "b/flock", "wishes", {value::list{wish_form("1"), wish_form("2")}}) == result<value>(nullptr));

  const auto wanted = b->notifications().wanted_by_subscribers(watched);
  REQUIRE(wanted.size() == 2);
  CHECK(wanted[0].where.nodes == std::vector{id("a")});

  REQUIRE(ask(a, "b/flock", "wishes", {value::list{}}));
  CHECK(b->notifications().wanted_by_subscribers(watched).empty());
  CHECK(code(ask(a, "b/flock", "wishes", {value::list{"none"}})) == error_code::bad_argument);
}

TEST_CASE("what a node wishes of the asker is told when it has been said, not before") {
  small_flock f;
  auto& a = f.start("a");
  auto& b = f.start("b", false);
  std::optional<result<value>> wished;
  a->ask_node(id("b"), "wished", {}, f.time.now() + 1h, [&](result<value> r) { wished = std::move(r); });
  f.settle();
  CHECK_FALSE(wished);
  location at_a;
  at_a.nodes = {id("a")};
  const auto ours = subscription::make(*resource_name::parse("file[x]"), at_a, *resource_name::parse("log[y]"), "write",
                                       timing::delayed);

  b->home().post([&] { b->subscribe({ours}); });
  b->resume();
  f.settle();

  CHECK(wished == result<value>(value::list{wish_form(ours.id)}));
  CHECK(f.ask(b, "b/flock", "wished", {}) == result<value>(value::list{}));
  CHECK(f.ask(a, "b/flock", "subscriptions", {}) == result<value>(value::list{ours.to_value()}));
}

TEST_CASE("the wire format names what a node answers for itself") {
  std::ifstream in(FLOCK_SOURCE_DIR "/docs/wire_format.md");
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  REQUIRE_FALSE(text.empty());

  for (const auto& e : method_table<node_service>::of().entries())
    CHECK_MESSAGE(text.find("\n| `" + e.info.name + "` |") != std::string::npos, e.info.name);
}
