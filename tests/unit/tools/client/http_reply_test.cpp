#include "tools/client/http_reply.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

using flock::http_reply;
using flock::server_sent_event;

namespace {

struct outcome {
  int status = 0;
  std::string body;
  bool complete = false;
  bool broken = false;
};

// Fed in pieces of this many bytes; the connection does not end.
outcome read(std::string_view text, std::size_t piece) {
  http_reply reply;
  outcome seen;
  for (; !text.empty() && !seen.broken; text.remove_prefix(std::min(piece, text.size())))
    seen.broken = !reply.feed(text.substr(0, piece), seen.body);
  seen.status = reply.status();
  seen.complete = reply.complete();
  return seen;
}

bool is_broken(std::string_view text) { return read(text, text.size()).broken; }

}  // namespace

TEST_CASE("a reply is read whatever the pieces it arrives in") {
  for (std::size_t piece : {1, 2, 3, 7, 1000}) {
    const auto fixed = read("HTTP/1.1 404 Not Found\r\ncontent-length:  5 \r\n\r\nhello", piece);

    CHECK(fixed.status == 404);
    CHECK(fixed.body == "hello");
    CHECK(fixed.complete);

    const auto chunked = read(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        "5;name=x\r\nhello\r\nA\r\n, humans!!\r\n0\r\nTrailer: x\r\n\r\n",
        piece);

    CHECK(chunked.status == 200);
    CHECK(chunked.body == "hello, humans!!");
    CHECK(chunked.complete);
  }
}

TEST_CASE("a reply without a length ends with its connection") {
  http_reply reply;
  std::string body;

  REQUIRE(reply.feed("HTTP/1.1 200 OK\r\n\r\nhello", body));

  CHECK_FALSE(reply.complete());
  CHECK(body == "hello");
  CHECK(reply.end());
  CHECK(reply.complete());
}

TEST_CASE("a reply that ends in its middle is broken") {
  for (const char* cut : {"", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
                          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"}) {
    http_reply reply;
    std::string body;

    CHECK(reply.feed(cut, body));

    CHECK(reply.end().error().code == flock::error_code::protocol);
  }
}

TEST_CASE("what is no HTTP/1.1 reply is refused") {
  CHECK(is_broken("SSH-2.0-OpenSSH\r\n"));
  CHECK(is_broken("HTTP/1.1 abc OK\r\n"));
  CHECK(is_broken("HTTP/1.1 200 OK\r\nno colon\r\n"));
  CHECK(is_broken("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"));
  CHECK(is_broken("HTTP/1.1 200 OK\r\nContent-Length: 5 5\r\n\r\n"));
  CHECK(is_broken("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n"));
  CHECK(is_broken("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"));
  CHECK(is_broken("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhello\r\n"));
  CHECK(is_broken(std::string(100'000, 'x')));
}

TEST_CASE("events are split at blank lines, whatever the pieces they arrive in") {
  const std::string text =
      ": heartbeat\n\nid: a.1\ndata: {\"x\":1}\n\nevent: gap\r\ndata:{}\r\n\r\nid: a.2\ndata: one\ndata: two\n\n"
      "data: unfinished\n";
  const std::vector<server_sent_event> expected = {
      {"a.1", "", R"({"x":1})"}, {"", "gap", "{}"}, {"a.2", "", "one\ntwo"}};

  for (std::size_t piece : {1, 2, 3, 7, 1000}) {
    flock::server_sent_events events;
    std::vector<server_sent_event> seen;
    for (std::size_t from = 0; from < text.size(); from += piece)
      for (auto& event : events.feed(std::string_view(text).substr(from, piece))) seen.push_back(event);

    CHECK((seen == expected));
  }
}
