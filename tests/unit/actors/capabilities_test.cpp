#include "actors/capabilities.hpp"

#include "tests/support/small_flock.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <string>

using namespace flock;
using namespace flock::testing;

namespace {

struct modest {
  int answer() { return 42; }
  template <class Api> static void describe(Api& api) { api.method("answer", &modest::answer); }
};

struct curious {
  explicit curious(const surroundings& around) : around_(around) {}
  std::string where() { return around_.id.str(); }
  deferred<std::string> address() {
    deferred<std::string> later;
    around_.about().then([later](result<node_info> me) { later.settle(me->life.address); });
    return later;
  }
  void say(const std::string& what) { around_.add_event(what, {}); }
  template <class Api> static void describe(Api& api) {
    api.method("where", &curious::where).method("address", &curious::address).method("say", &curious::say);
  }

 private:
  surroundings around_;
};

struct fixture : small_flock {
  member& a = start("a");
  surroundings around = surroundings_on(*a.core, time, this_system());

  result<value> call(actor_object& actor, const std::string& method, value::list arguments = {}) {
    std::optional<result<value>> answer;
    actor.call(
        {id("b")}, method, std::move(arguments), [] { return true; }, [&](result<value> r) { answer = std::move(r); });
    settle();
    REQUIRE(answer);
    return *answer;
  }
};

}  // namespace

TEST_CASE_FIXTURE(fixture, "a capability gets the surroundings of its node if it takes them") {
  CHECK(call(*make_capability<modest>(around), "answer") == result<value>(42));

  const auto actor = make_capability<curious>(around);
  CHECK(call(*actor, "where") == result<value>("a"));
  CHECK(call(*actor, "address") == result<value>(a->address()));
  CHECK(call(*actor, "say", {"hello"}));
  CHECK(contains(events(a), "hello"));
}

TEST_CASE_FIXTURE(fixture, "what actors.def lists can be published and says what it does") {
  for (const auto& c : capabilities()) {
    CHECK_MESSAGE(actor_name::parse(c.name), c.name);
    CHECK_MESSAGE(!c.does.empty(), c.name);
    CHECK_MESSAGE(!c.make(around)->methods().empty(), c.name);
  }
}
