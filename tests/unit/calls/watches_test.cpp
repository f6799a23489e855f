#include "libflock/calls/watches.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <set>
#include <string>
#include <vector>

// Who is to hear that an actor has ended.

using namespace flock;

namespace {

actor_name named(const std::string& text) { return *actor_name::parse(text); }

struct watches_fixture {
  std::set<actor_name> here{named("itchy")};
  struct asked {
    std::string what;
    responder answer;
  };
  std::vector<asked> questions;
  watches all{*node_id::parse("here"),
              {.ask_until_gone =
                   [this](const node_id& node, const actor_name& name, responder answer) {
                     questions.push_back({node.str() + "/" + name.str(), std::move(answer)});
                   },
               .is_here = [this](const actor_name& name) { return here.contains(name); }}};

  std::vector<std::string> heard;
  std::uint64_t watch(const std::string& whom) {
    const auto handle = all.new_handle();
    all.watch(handle, *address::parse(whom), [this](const error& why) { heard.push_back(to_string(why)); });
    return handle;
  }

  /// What becomes of somebody who watches an actor of this node.
  std::shared_ptr<std::string> watcher(const std::string& name) {
    auto answer = std::make_shared<std::string>("waits");
    all.until_gone(named(name)).then([answer](const result<void>& r) { *answer = r ? "ok" : to_string(r.error()); });
    return answer;
  }
};

}  // namespace

TEST_CASE_FIXTURE(watches_fixture, "whoever watches an actor elsewhere hears once that it ended, and why") {
  watch("springfield/itchy");
  REQUIRE(questions.size() == 1);
  CHECK(questions[0].what == "springfield/itchy");
  CHECK(heard.empty());

  questions[0].answer(error{error_code::maybe_done, "springfield died before it answered"});
  questions[0].answer(error{error_code::maybe_done, "said twice"});

  CHECK(heard == std::vector<std::string>{"down: springfield died before it answered"});
}

TEST_CASE_FIXTURE(watches_fixture, "that this node stops is not taken for the end of whom it watches") {
  watch("springfield/itchy");

  questions[0].answer(error{error_code::shutting_down, "this node is stopping"});

  CHECK(heard.empty());
}

TEST_CASE_FIXTURE(watches_fixture, "who has forgotten whom it watched hears nothing") {
  const auto handle = watch("springfield/itchy");
  watch("springfield/itchy");

  all.forget(handle);
  for (const auto& q : questions) q.answer(error{error_code::down, "no longer published"});

  CHECK(heard.size() == 1);
}

TEST_CASE_FIXTURE(watches_fixture, "an actor without a node cannot be watched, which is said at once") {
  watch("itchy");

  CHECK(questions.empty());
  CHECK(heard == std::vector<std::string>{"down: no node in itchy"});
}

TEST_CASE_FIXTURE(watches_fixture, "all who watch an actor of this node hear when it is unpublished, and no others") {
  here.insert(named("scratchy"));
  const auto first = watcher("itchy");
  const auto second = watcher("itchy");
  const auto other = watcher("scratchy");

  all.unpublished(named("itchy"));

  CHECK(*first == "down: no longer published");
  CHECK(*second == *first);
  CHECK(*other == "waits");
}

TEST_CASE_FIXTURE(watches_fixture, "an actor that is not here cannot be waited for to go") {
  CHECK(*watcher("scratchy") == "not_found: no actor scratchy on here");
}

TEST_CASE_FIXTURE(watches_fixture, "beyond a bound watchers are refused, until others have heard") {
  for (std::size_t i = 0; i < watches::max_watchers; ++i) watcher("itchy");
  CHECK(*watcher("itchy") == "refused: too many watchers");

  all.unpublished(named("itchy"));

  CHECK(*watcher("itchy") == "waits");
}
