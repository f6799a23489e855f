#include "libflock/tls/write_queue.hpp"

#include <doctest/doctest.h>

#include <string>

using flock::internal::write_queue;

TEST_CASE("frames leave in order, many in one write") {
  write_queue queue(1000);
  for (const char* frame : {"one ", "two ", "three"}) CHECK(queue.push(frame));
  CHECK(queue.size() == 13);

  std::string out;
  CHECK(queue.pop(out));

  CHECK(out == "one two three");
  CHECK(queue.size() == 0);
  CHECK(!queue.pop(out));
}

TEST_CASE("one write holds whole frames and no more than its size, unless one frame is larger") {
  write_queue queue(10 << 20);
  const std::string half(write_queue::gathered / 2, 'h'), small = "s", large(3 * write_queue::gathered, 'l');
  for (const auto& frame : {half, half, small, large, small}) CHECK(queue.push(frame));

  std::string out;
  for (const auto& write : {half + half, small, large, small}) {
    REQUIRE(queue.pop(out));
    CHECK(out.size() == write.size());
    CHECK(out == write);
  }
  CHECK(!queue.pop(out));
}

TEST_CASE("what would be over the limit is refused, and room comes back when frames leave") {
  write_queue queue(10);
  CHECK(queue.push("123456"));

  CHECK(!queue.push("12345"));
  CHECK(queue.push("1234"));
  CHECK(!queue.push("1"));
  CHECK(!queue.push(std::string(11, 'x')));

  std::string out;
  CHECK(queue.pop(out));
  CHECK(out == "1234561234");
  CHECK(queue.push("12345"));
}

TEST_CASE("a heartbeat leaves before everything that waits, and only one waits") {
  write_queue queue(10);
  CHECK(queue.push("0123456789"));
  queue.push_heartbeat("beat");
  queue.push_heartbeat("beat");

  std::string out;
  REQUIRE(queue.pop(out));
  CHECK(out == "beat");
  REQUIRE(queue.pop(out));
  CHECK(out == "0123456789");
  CHECK(!queue.pop(out));
}
