#include <flock/deferred.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <string>
#include <thread>

using flock::deferred;
using flock::error;
using flock::error_code;
using flock::result;

namespace {

/// Keeps the answer and counts how often it came.
template <class T> struct asker {
  int answers = 0;
  std::optional<result<T>> answer;

  auto take() {
    return [this](result<T> r) {
      ++answers;
      answer.emplace(std::move(r));
    };
  }
};

}  // namespace

TEST_CASE("an answer that is there already is given at once") {
  asker<int> a;
  deferred<int> later;
  later.settle(7);

  later.then(a.take());

  CHECK(a.answers == 1);
  CHECK(*a.answer == result<int>(7));
}

TEST_CASE("an answer that comes later is given when it comes") {
  asker<int> a;
  deferred<int> later;
  later.then(a.take());
  CHECK(a.answers == 0);

  later.settle(7);

  CHECK(a.answers == 1);
  CHECK(*a.answer == result<int>(7));
}

TEST_CASE("only the first answer counts, from whichever copy") {
  asker<int> a;
  deferred<int> later;
  auto copy = later;
  later.then(a.take());

  copy.settle(1);
  later.settle(2);
  copy.settle(error{error_code::io, "too late"});

  CHECK(a.answers == 1);
  CHECK(*a.answer == result<int>(1));
}

TEST_CASE("the first of two early answers counts") {
  asker<int> a;
  deferred<int> later;
  later.settle(1);
  later.settle(2);

  later.then(a.take());

  CHECK(*a.answer == result<int>(1));
}

TEST_CASE("a deferred that is dropped unsettled answers maybe_done") {
  asker<int> a;
  {
    deferred<int> later;
    auto copy = later;
    later.then(a.take());
    CHECK(a.answers == 0);
  }

  CHECK(a.answers == 1);
  REQUIRE(a.answer);
  CHECK(a.answer->error().code == error_code::maybe_done);
}

TEST_CASE("a deferred that was dropped before it is read answers when the reader lets go") {
  asker<int> a;
  std::optional<deferred<int>> kept(std::in_place);
  std::optional<deferred<int>> settler = kept;
  settler.reset();
  kept->then(a.take());
  CHECK(a.answers == 0);

  kept.reset();

  CHECK(a.answers == 1);
  CHECK(a.answer->error().code == error_code::maybe_done);
}

TEST_CASE("a settled deferred that is dropped says nothing more") {
  asker<int> a;
  {
    deferred<int> later;
    later.then(a.take());
    later.settle(7);
  }

  CHECK(a.answers == 1);
}

TEST_CASE("an answer that nobody reads goes with the deferred, unread") {
  auto held = std::make_shared<int>(7);
  {
    deferred<std::shared_ptr<int>> later;
    later.settle(held);
    CHECK(held.use_count() == 2);
  }

  CHECK(held.use_count() == 1);
}

TEST_CASE("what takes the answer is let go when it has run") {
  auto held = std::make_shared<int>(7);
  deferred<int> later;
  later.then([held](const result<int>&) {});
  CHECK(held.use_count() == 2);

  later.settle(7);

  CHECK(held.use_count() == 1);
}

TEST_CASE("a deferred may answer with nothing but that it is done") {
  asker<void> a;
  deferred<void> later;
  later.then(a.take());

  later.settle({});

  CHECK(a.answer->has_value());
}

TEST_CASE("an answer may come from another thread") {
  asker<std::string> a;
  deferred<std::string> later;
  later.then(a.take());

  std::thread([later] { later.settle(std::string("from afar")); }).join();

  CHECK(*a.answer == result<std::string>("from afar"));
}

TEST_CASE("an answer may lead to the next question") {
  asker<int> a;
  deferred<int> first;
  deferred<int> second;
  first.then([&](result<int> r) { second.settle(*r + 1); });
  second.then(a.take());

  first.settle(1);

  CHECK(*a.answer == result<int>(2));
}
