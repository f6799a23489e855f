#include "tools/flockctl/completion.hpp"

#include "tests/support/flockctl_over_api.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

using namespace flock::testing;
using flock::value;
using flock::ctl::complete;
using flock::ctl::exit_code;
using flock::ctl::kind;

namespace {

using words = std::vector<std::string>;

words known(const words& line) {
  words out;
  for (const auto& c : complete(line).known) out.push_back(c.text);
  return out;
}

bool offers(const words& line, const std::string& text) {
  const auto all = known(line);
  return std::find(all.begin(), all.end(), text) != all.end();
}

}  // namespace

TEST_CASE("commands are offered, each first word once, and then their second words") {
  const auto first = known({""});
  CHECK(std::count(first.begin(), first.end(), "notification") == 1);
  CHECK(offers({""}, "help"));
  CHECK(known({"notification", ""}) == words{"show", "cancel", "retry"});
  CHECK(offers({"help", ""}, "notify"));
  CHECK(known({"status", ""}).empty());
}

TEST_CASE("options are offered that the command takes and that were not given") {
  CHECK(offers({"notify", "--"}, "--role"));
  CHECK(offers({"notify", "--role", "web", "--"}, "--role"));
  CHECK_FALSE(offers({"notify", "--on", "success", "--"}, "--on"));
  CHECK_FALSE(offers({"status", "--"}, "--role"));
  CHECK(offers({"--"}, "--version"));
}

TEST_CASE("choices of an option are offered, also behind an equals sign") {
  CHECK(known({"notify", "--on", ""}) == words{"always", "success", "failure"});
  const auto joined = complete({"notify", "--on=su"});
  CHECK(joined.prefix == "--on=");
  CHECK(joined.known.size() == 3);
  CHECK(offers({"run-chef", "--wait", ""}, "completed"));
  CHECK(offers({"run-chef", "--wait", "--"}, "--splay"));
}

TEST_CASE("what only a flockd knows is asked for by its kind") {
  CHECK(complete({"ping", ""}).ask == kind::node);
  CHECK(complete({"nodes", "--node", ""}).ask == kind::node);
  CHECK(complete({"nodes", "--role", ""}).ask == kind::role);
  CHECK(complete({"call", ""}).ask == kind::actor);
  CHECK(complete({"updated", ""}).ask == kind::resource);
  CHECK(complete({"notification", "cancel", ""}).ask == kind::waiting_notification);
  CHECK(complete({"wait", "a=alive", ""}).ask == kind::condition);
  CHECK(complete({"--socket", ""}).ask == kind::file);
  CHECK_FALSE(complete({"ping", "bender1", ""}).ask);
}

TEST_CASE("methods and actions are those of the word before") {
  const auto method = complete({"call", "bender1/itchy", ""});
  CHECK(method.ask == kind::method);
  CHECK(method.of == "bender1/itchy");
  const auto action = complete({"notify", "--node", "bender1", "log[x]", ""});
  CHECK(action.ask == kind::action);
  CHECK(action.of == "log[x]");
  CHECK(action.nodes == words{"bender1"});
}

TEST_CASE("the flockd that the line names is the one that is asked") {
  CHECK(complete({"--socket", "/tmp/a.sock", "ping", ""}).socket == "/tmp/a.sock");
  CHECK(complete({"--socket=/tmp/a.sock", "ping", ""}).socket == "/tmp/a.sock");
  CHECK_FALSE(complete({"ping", ""}).socket);
}

TEST_CASE_FIXTURE(flockctl_over_api, "nodes are printed with their state, those that begin as the word does") {
  backend.reply = value(
      value::list{value::map{{"id", "bender0"}, {"state", "alive"}}, value::map{{"id", "fry"}, {"state", "dead"}}});

  CHECK((run({"complete", "--", "ping", "be"}) == exit_code::ok));
  CHECK(out == "bender0\talive\n");
  run({"complete", "--", "nodes", "--node=f"});
  CHECK(out == "--node=fry\tdead\n");
  run({"complete", "--", "--socket", "/tmp/b.sock", "ping", ""});
  CHECK(socket == "/tmp/b.sock");
}

TEST_CASE_FIXTURE(flockctl_over_api, "roles are told once each") {
  backend.reply = value(value::list{value::map{{"id", "a"}, {"roles", value::list{"web", "db"}}},
                                    value::map{{"id", "b"}, {"roles", value::list{"web"}}}});

  run({"complete", "--", "nodes", "--role", ""});

  CHECK(out == "db\nweb\n");
}

TEST_CASE_FIXTURE(flockctl_over_api, "a node is offered for an actor until its slash is written") {
  backend.reply = value(value::list{value::map{{"id", "bender1"}, {"state", "alive"}}});
  run({"complete", "--", "call", ""});
  CHECK(out == "bender1/\talive\n");

  backend.reply =
      value(value::list{value::map{{"name", "itchy"},
                                   {"type", "itchy"},
                                   {"methods", value::list{value::map{{"name", "fight"}, {"doc", "a blow"}}}}}});
  run({"complete", "--", "call", "bender1/"});
  CHECK(out == "bender1/itchy\titchy\n");
  run({"complete", "--", "call", "bender1/itchy", ""});
  CHECK(out == "fight\ta blow\n");
}

TEST_CASE_FIXTURE(flockctl_over_api, "files are the shell's to find") {
  run({"complete", "--", "--socket", ""});

  CHECK(out == ":files\n");
}

TEST_CASE_FIXTURE(flockctl_over_api, "a flockd that says no leaves the line as it is") {
  backend.reply = flock::error{flock::error_code::unreachable, "no"};

  CHECK((run({"complete", "--", "ping", ""}) == exit_code::ok));
  CHECK(out.empty());
  CHECK(err.empty());
  CHECK((run({"complete"}) == exit_code::ok));
}
