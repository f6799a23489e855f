#include "tools/flockctl/exit_code.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

using flock::error_code;
using flock::value;
using flock::ctl::exit_code;
using flock::ctl::exit_code_of;
using flock::ctl::until_state;

namespace {

value in_state(const char* state, const char* code = nullptr) {
  value::map n{{"state", state}};
  if (code) n.emplace("error", value::map{{"code", code}});
  return n;
}

}  // namespace

TEST_CASE("every error has an exit code") {
  const std::vector<std::pair<error_code, exit_code>> table = {
      {error_code::not_found, exit_code::no_target},      {error_code::bad_argument, exit_code::usage},
      {error_code::no_such_method, exit_code::no_target}, {error_code::refused, exit_code::denied},
      {error_code::conflict, exit_code::some_failed},     {error_code::not_owner, exit_code::not_locked},
      {error_code::timeout, exit_code::timed_out},        {error_code::unreachable, exit_code::unreachable},
      {error_code::maybe_done, exit_code::timed_out},     {error_code::down, exit_code::some_failed},
      {error_code::session_lost, exit_code::unreachable}, {error_code::shutting_down, exit_code::unreachable},
      {error_code::io, exit_code::some_failed},           {error_code::protocol, exit_code::some_failed},
  };

  CHECK(table.size() == static_cast<std::size_t>(flock::last_error_code));
  for (const auto& [code, expected] : table) CHECK((exit_code_of(code) == expected));
}

TEST_CASE("a notification that went as far as was waited for is well") {
  CHECK((exit_code_of({in_state("succeeded")}, until_state::completed) == exit_code::ok));
  CHECK((exit_code_of({in_state("accepted")}, until_state::accepted) == exit_code::ok));
  CHECK((exit_code_of({in_state("started")}, until_state::accepted) == exit_code::ok));
  CHECK((exit_code_of({in_state("queued")}, until_state::any) == exit_code::ok));
  CHECK((exit_code_of({}, until_state::completed) == exit_code::ok));
}

TEST_CASE("one that did not is timed out, and so is one that nobody knows of") {
  CHECK((exit_code_of({in_state("queued")}, until_state::accepted) == exit_code::timed_out));
  CHECK((exit_code_of({in_state("accepted")}, until_state::completed) == exit_code::timed_out));
  CHECK((exit_code_of({in_state("started")}, until_state::completed) == exit_code::timed_out));
  CHECK((exit_code_of({in_state("unknown")}, until_state::completed) == exit_code::timed_out));
  CHECK((exit_code_of({nullptr}, until_state::accepted) == exit_code::timed_out));
  CHECK((exit_code_of({in_state("of a later version")}, until_state::any) == exit_code::timed_out));
}

TEST_CASE("one that failed says why if scripts can act on it") {
  CHECK((exit_code_of({in_state("failed")}, until_state::completed) == exit_code::some_failed));
  CHECK((exit_code_of({in_state("failed", "io")}, until_state::completed) == exit_code::some_failed));
  CHECK((exit_code_of({in_state("expired", "timeout")}, until_state::completed) == exit_code::some_failed));
  CHECK((exit_code_of({in_state("cancelled")}, until_state::completed) == exit_code::some_failed));
  CHECK((exit_code_of({in_state("failed", "not_found")}, until_state::accepted) == exit_code::no_target));
  CHECK((exit_code_of({in_state("failed", "no_such_method")}, until_state::accepted) == exit_code::no_target));
  CHECK((exit_code_of({in_state("failed", "refused")}, until_state::accepted) == exit_code::denied));
}

TEST_CASE("of several targets, what they share counts, else a failure, else what is not known") {
  const auto all = [](value::list notifications) { return exit_code_of(notifications, until_state::completed); };
  const auto good = in_state("succeeded");

  CHECK((all({good, good}) == exit_code::ok));
  CHECK((all({in_state("failed", "refused"), in_state("failed", "refused")}) == exit_code::denied));
  CHECK((all({good, in_state("failed", "refused")}) == exit_code::some_failed));
  CHECK((all({in_state("failed", "not_found"), in_state("failed", "refused")}) == exit_code::some_failed));
  CHECK((all({good, in_state("unknown")}) == exit_code::timed_out));
  CHECK((all({good, in_state("unknown"), in_state("failed")}) == exit_code::some_failed));
}
