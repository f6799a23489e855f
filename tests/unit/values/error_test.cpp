#include <flock/error.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <set>
#include <sstream>
#include <string>

using flock::error;
using flock::error_code;
using flock::result;

TEST_CASE("each error code has a name of its own that leads back to it") {
  std::set<std::string_view> names;
  for (int number = 1; number <= static_cast<int>(flock::last_error_code); ++number) {
    auto code = static_cast<error_code>(number);
    CHECK(flock::error_code_from(to_string(code)) == code);
    names.insert(to_string(code));
  }

  CHECK(flock::last_error_code == error_code::protocol);
  CHECK(names.size() == 14);
  CHECK(to_string(error_code::not_found) == "not_found");
  CHECK(to_string(error_code::protocol) == "protocol");
}

TEST_CASE("a name that is no error code's is none") {
  CHECK_FALSE(flock::error_code_from("of_a_newer_version"));
  CHECK_FALSE(flock::error_code_from(""));
  CHECK_FALSE(flock::error_code_from("TIMEOUT"));
}

TEST_CASE("an error prints as its code and its text") {
  error e{error_code::not_found, "no node named bender9"};
  std::ostringstream out;
  out << e << '|' << e.code;

  CHECK(out.str() == "not_found: no node named bender9|not_found");
  CHECK(to_string(e) == "not_found: no node named bender9");
}

TEST_CASE("context goes before an error's text and keeps its code") {
  error e{error_code::io, "no space left"};

  CHECK(e.within("journal").within("bender0") == error{error_code::io, "bender0: journal: no space left"});
}

TEST_CASE("a result is a value or the reason why there is none") {
  result<std::string> good(std::string("text"));
  result<std::string> bad(error{error_code::timeout, "late"});

  CHECK(good);
  CHECK(*good == "text");
  CHECK(good->size() == 4);
  CHECK(good.value_or("other") == "text");
  CHECK_FALSE(bad);
  CHECK(bad.error().code == error_code::timeout);
  CHECK(bad.value_or("other") == "other");
  CHECK(good != bad);
}

TEST_CASE("a result gives up a value that cannot be copied") {
  result<std::unique_ptr<int>> made(std::make_unique<int>(7));

  auto taken = *std::move(made);

  CHECK(*taken == 7);
}

TEST_CASE("a result without a value is done, or the reason why not") {
  result<void> done;
  result<void> refused = error{error_code::refused, "full"};

  CHECK(done);
  CHECK_FALSE(refused);
  CHECK(refused.error().what == "full");
}
