#include "libflock/seams/message.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <random>
#include <string>
#include <utility>

using namespace std::chrono_literals;
using namespace std::string_view_literals;
using flock::decode_message;
using flock::encode;
using flock::error;
using flock::error_code;
using flock::message;
using flock::message_kind;
using flock::result;
using flock::value;

namespace {

void refused(std::string_view bytes, std::string_view why) {
  auto m = decode_message(bytes);
  REQUIRE_FALSE(m);
  CHECK(m.error().code == error_code::protocol);
  CAPTURE(m.error().what);
  CHECK(m.error().what.find(why) != std::string::npos);
}

const message a_call{message_kind::call, 300, 5s, "file[/tmp/x]", "create", value::list{1, "two"}};

}  // namespace

TEST_CASE("each kind of message comes back") {
  for (int number = 1; number <= static_cast<int>(flock::last_message_kind); ++number) {
    auto m = a_call;
    m.kind = static_cast<message_kind>(number);
    const auto sent = encode(m);
    // Many come, and they are read without making a value of them first.
    if (m.kind == message_kind::parcels) m.packed = encode(std::exchange(m.body, {}));
    CHECK(decode_message(sent) == result<message>(m));
    CHECK(encode(m) == sent);
  }
  CHECK(flock::last_message_kind == message_kind::acknowledge);
  CHECK(static_cast<int>(flock::last_message_kind) == 8);
}

TEST_CASE("a message is sent in the promised form") {
  CHECK(encode(message{}) == "\1\2\0\0\0\0\0"sv);
  CHECK(encode(message{message_kind::call, 300, 250ms, "a", "bc", true}) == "\1\4\xac\2\xfa\1\1a\2bc\2");
}

TEST_CASE("a message with everything at its largest comes back") {
  message m{message_kind::reply,     std::numeric_limits<std::uint64_t>::max(),
            std::chrono::days(3650), std::string(4096, 'x'),
            std::string(4096, 'y'),  std::string(100'000, 'z')};

  CHECK(decode_message(encode(m)) == result<message>(m));
}

TEST_CASE("a time left is sent as nothing less than none and nothing more than ten years") {
  auto sent = [](flock::milliseconds within) { return decode_message(encode(message{.within = within}))->within; };

  CHECK(sent(-1ms) == 0ms);
  CHECK(sent(flock::milliseconds::max()) == std::chrono::days(3650));
}

TEST_CASE("what a newer version adds after the body is ignored") {
  CHECK(decode_message(encode(a_call) + "more") == result<message>(a_call));
}

TEST_CASE("an unknown version or kind is refused") {
  auto bytes = encode(a_call);

  auto newer = bytes;
  newer[0] = 2;
  refused(newer, "version 2");
  newer[0] = 0;
  refused(newer, "version 0");
  auto kind = bytes;
  kind[1] = 9;
  refused(kind, "kind 9");
  kind[1] = 0;
  refused(kind, "kind 0");
  kind[1] = '\xff';
  refused(kind, "kind 255");
}

TEST_CASE("a message that is cut short at any byte is refused") {
  auto bytes = encode(a_call);
  for (std::size_t size = 0; size < bytes.size(); ++size) refused(std::string_view(bytes).substr(0, size), "message: ");
}

TEST_CASE("a name that is too long is refused") {
  auto long_name = a_call;
  long_name.actor = std::string(4097, 'x');
  refused(encode(long_name), "4096");
  long_name = a_call;
  long_name.method = std::string(4097, 'x');
  refused(encode(long_name), "4096");
}

TEST_CASE("a time left beyond ten years is refused") {
  refused("\1\2\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\1\0\0\0"sv, "10 years");
}

TEST_CASE("a bad body is refused") { refused("\1\2\0\0\0\0\x9"sv, "unknown tag 9"); }

TEST_CASE("a message with broken bytes is a message or refused") {
  auto seed = std::random_device()();
  CAPTURE(seed);
  std::mt19937 random(seed);
  const auto good = encode(a_call);
  for (int round = 0; round < 20'000; ++round) {
    auto bytes = good;
    for (int i = 0; i < 3; ++i) bytes[random() % bytes.size()] = static_cast<char>(random());
    auto m = decode_message(bytes);
    if (m) CHECK(encode(*decode_message(encode(*m))) == encode(*m));
    if (!m) CHECK(m.error().code == error_code::protocol);
  }
}

TEST_CASE("each failure comes back from its body") {
  for (int number = 1; number <= static_cast<int>(flock::last_error_code); ++number) {
    error e{static_cast<error_code>(number), "what it was"};
    CHECK(flock::error_from_body(to_body(e)) == e);
  }
  CHECK(to_body(error{error_code::timeout, "late"}) == value::map{{"code", "timeout"}, {"what", "late"}});
}

TEST_CASE("a failure that is not understood may have been done") {
  auto unknown = flock::error_from_body(value::map{{"code", "of_a_newer_version"}, {"what", "late"}});
  CHECK(unknown == error{error_code::maybe_done, "of_a_newer_version: late"});

  for (const value& body : {value(), value("text"), value(value::map{{"code", 7}, {"what", "late"}})}) {
    CHECK(flock::error_from_body(body).code == error_code::maybe_done);
  }
  CHECK(flock::error_from_body(value::map{{"code", "timeout"}}).code == error_code::timeout);
}
