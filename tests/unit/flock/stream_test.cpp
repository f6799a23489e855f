#include <flock/stream.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <vector>

using namespace flock;

namespace {

struct fixture {
  std::shared_ptr<void> follow(const stream<int>& of) {
    return of.values().follow([this](value v) { seen.push_back(std::move(v)); },
                              [this](const result<void>& how) { ends.push_back(how); });
  }

  value::list seen;
  std::vector<result<void>> ends;
};

}  // namespace

TEST_CASE_FIXTURE(fixture, "a follower sees all that was put in, before and after, and then the end") {
  stream<int> numbers;
  numbers.put(1);

  const auto handle = follow(numbers);
  numbers.put(2);
  CHECK((seen == value::list{1, 2}));
  CHECK(ends.empty());
  numbers.end();

  numbers.put(3);
  numbers.end(error{error_code::io, "late"});
  CHECK(seen.size() == 2);
  REQUIRE(ends.size() == 1);
  CHECK(ends[0].has_value());
  CHECK_FALSE(numbers.is_open());
}

TEST_CASE_FIXTURE(fixture, "a stream that ends before it is followed is told as a whole") {
  stream<int> numbers;
  numbers.put(1);
  numbers.end(error{error_code::io, "no more"});

  const auto handle = follow(numbers);

  CHECK((seen == value::list{1}));
  REQUIRE(ends.size() == 1);
  CHECK(ends[0].error() == error{error_code::io, "no more"});
}

TEST_CASE_FIXTURE(fixture, "a follower that goes closes the stream, and hears nothing more") {
  stream<int> numbers;
  auto handle = follow(numbers);
  CHECK(numbers.is_open());

  handle.reset();

  CHECK_FALSE(numbers.is_open());
  numbers.put(1);
  numbers.end();
  CHECK(seen.empty());
  CHECK(ends.empty());
}

TEST_CASE_FIXTURE(fixture, "a stream that nobody can put anything into any more has ended with down") {
  std::optional<stream<int>> numbers(std::in_place);
  std::optional<stream<int>> copy(*numbers);
  const auto handle = follow(*numbers);

  numbers.reset();
  copy->put(1);
  CHECK(ends.empty());
  copy.reset();

  CHECK((seen == value::list{1}));
  REQUIRE(ends.size() == 1);
  CHECK(ends[0].error().code == error_code::down);
}

TEST_CASE("a follower may put in, and go, while it is told") {
  stream<int> numbers;
  std::shared_ptr<void> handle;
  value::list seen;
  handle = numbers.values().follow(
      [&](const value& v) {
        seen.push_back(v);
        if (seen.size() == 1) numbers.put(2), numbers.put(3);
        if (seen.size() == 2) handle.reset();
      },
      [](const result<void>&) {});

  numbers.put(1);

  CHECK((seen == value::list{1, 2}));
  CHECK_FALSE(numbers.is_open());
}
