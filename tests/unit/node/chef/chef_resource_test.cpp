#include "node/chef/chef_resource.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <string>

using namespace flock;

namespace {

struct fixture {
  result<value> invoke(std::string_view method, const value::list& arguments = {}) {
    std::optional<result<value>> answer;
    actor.call(
        {*node_id::parse("springfield")}, method, arguments, [] { return true; },
        [&](result<value> r) { answer = std::move(r); });
    REQUIRE(answer);
    return *answer;
  }

  std::string performed;
  bool begun = false;
  chef_resource actor{
      {.perform =
           [this](const resource_name& what, const std::string& action, const action_context& why,
                  const beginning& begin, const responder& done) {
             begun = begin();
             performed = action + " " + what.str() + " for " + why.notification;
             for (const auto& c : why.causes) performed += " because of " + c.resource;
             done(value("performed"));
           },
       .state = [](const resource_name& what, const responder& done) { done(value("state of " + what.str())); }},
      *resource_name::parse("execute[x]"),
      {"run", "nothing"}};
};

}  // namespace

TEST_CASE_FIXTURE(fixture, "the actions that Chef knows, and state, are its methods") {
  REQUIRE(actor.methods().size() == 3);
  CHECK(actor.methods()[0].name == "run");
  CHECK(actor.methods()[2].name == "state");
}

TEST_CASE_FIXTURE(fixture, "an action is performed by Chef, which is told why") {
  const value why =
      value::map{{"notification", "n-1"},
                 {"causes", value::list{value::map{{"node", "fry"}, {"resource", "file[y]"}, {"action", "create"}}}}};

  CHECK(*invoke("run", {why}) == value("performed"));
  CHECK(performed == "run execute[x] for n-1 because of file[y]");
  CHECK(begun);
}

TEST_CASE_FIXTURE(fixture, "an action that Chef does not know is refused here") {
  CHECK(invoke("stop").error().code == error_code::no_such_method);
  CHECK(performed.empty());
}

TEST_CASE_FIXTURE(fixture, "a context that cannot be read is refused") {
  CHECK(invoke("run", {value("why")}).error().code == error_code::bad_argument);
  CHECK(invoke("run", {value::map{}, value::map{}}).error().code == error_code::bad_argument);
}

TEST_CASE_FIXTURE(fixture, "its state can be asked for") { CHECK(*invoke("state") == value("state of execute[x]")); }
