#include "actors/resource/execute_resource.hpp"

#include <doctest/doctest.h>

using namespace flock;

namespace {

action_report run(const std::string& name, value::map members, const attempt& how = {}) {
  const value given = std::move(members);
  declared_members read(given);
  const auto execute = execute_resource().make({"execute", name}, read);
  REQUIRE(read.finish().empty());
  return execute->perform("run", how);
}

std::vector<declared_members::fault> faults(value::map members) {
  const value given = std::move(members);
  declared_members read(given);
  execute_resource().make({"execute", "x"}, read);
  return read.finish();
}

}  // namespace

TEST_CASE("the command of an execute is its name unless one is given") {
  CHECK(run("echo name", {}).output == "name\n");
  CHECK(run("echo name", {{"command", "echo member"}}).output == "member\n");
}

TEST_CASE("an execute that ran is updated") {
  const auto report = run("echo toast; pwd; echo $A", {{"cwd", "/"}, {"environment", value::map{{"A", "b"}}}});

  CHECK(report.how == outcome::updated);
  CHECK(report.output == "toast\n/\nb\n");
}

TEST_CASE("within a run the command finds the run's id, unless it is told another one") {
  CHECK(run("echo run=$FLOCK_RUN", {}, {.run = "life.1"}).output == "run=life.1\n");
  CHECK(run("echo run=$FLOCK_RUN", {}).output == "run=\n");
  CHECK(run("echo run=$FLOCK_RUN", {{"environment", value::map{{"FLOCK_RUN", "mine"}}}}, {.run = "life.1"}).output ==
        "run=mine\n");
}

TEST_CASE("the command of an execute learns why it runs") {
  const std::string tell = "echo $FLOCK_NODE $FLOCK_RESOURCE $FLOCK_ACTION ${FLOCK_NOTIFICATION:-none}";

  CHECK(run(tell, {}, {.node = "bender1", .notifications = {"life-7", "life-8"}}).output ==
        "bender1 execute[" + tell + "] run life-7 life-8\n");
  CHECK(run(tell, {}, {.node = "bender1"}).output.ends_with(" none\n"));
  CHECK(run("echo $FLOCK_NODE", {{"environment", value::map{{"FLOCK_NODE", "own"}}}}).output == "own\n");
}

TEST_CASE("a command is started however many notifications asked for it") {
  const std::vector<std::string> many(10'000, std::string(50, 'x'));

  CHECK(run("echo ${#FLOCK_NOTIFICATION}", {}, {.notifications = many}).output == "65534\n");
}

TEST_CASE("an execute that failed tells its exit status and output") {
  const auto report = run("echo no; exit 3", {});

  CHECK(report.how == outcome::failed);
  CHECK(report.exit_status == 3);
  CHECK(report.output == "no\n");
  CHECK(report.why == error{error_code::io, "exit status 3"});
}

TEST_CASE("an execute that took too long failed") {
  CHECK(run("sleep 30", {{"timeout", 0.05}}).why == error{error_code::io, "timed out after 50ms"});
}

TEST_CASE("an execute whose file is there already is up to date") {
  CHECK(run("exit 3", {{"creates", "/etc/passwd"}}).how == outcome::up_to_date);
  CHECK(run("exit 3", {{"creates", "passwd"}, {"cwd", "/etc"}}).how == outcome::up_to_date);
  CHECK(run("true", {{"creates", "/no/such/file"}}).how == outcome::updated);
}

TEST_CASE("why-run says which command would run") {
  const auto report = run("exit 3", {}, {.why_run = true});

  CHECK(report.how == outcome::updated);
  CHECK(report.output == "would run exit 3");
}

TEST_CASE("a command that cannot be started failed") {
  CHECK(run("true", {{"cwd", "/no/such/folder"}}).why->what ==
        "cannot change to directory /no/such/folder: No such file or directory");
}

TEST_CASE("what is wrong with the members of an execute is told") {
  using fault = declared_members::fault;
  CHECK(faults({{"timeout", "soon"}}).front().member == "timeout");
  CHECK(faults({{"cwd", "tmp"}}) == std::vector{fault{"cwd", R"("tmp" is no absolute path)"}});
  CHECK(faults({{"creates", "toast"}}) ==
        std::vector{fault{"creates", "toast is no absolute path, and there is no cwd"}});
  CHECK(faults({{"environment", value::map{{"a=b", "c"}}}}) ==
        std::vector{fault{"environment", R"("a=b" is no name of a variable)"}});
}
