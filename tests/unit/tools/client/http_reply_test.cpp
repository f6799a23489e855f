#include "tools/client/http_reply.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <string_view>

using flock::http_reply;

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

TEST_CASE("headers without an end are refused, not kept") {
  const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const auto& begin : {chunked + "5;", chunked + "0\r\nx: ", std::string("HTTP/1.1 200 OK\r\nx: ")}) {
    http_reply reply;
    std::string body;
    REQUIRE(reply.feed(begin, body));

    std::size_t kept = 0;
    while (kept < 100'000 && reply.feed(std::string(100, 'x'), body)) kept += 100;

    CHECK(kept > 15'000);
    CHECK(kept < 17'000);
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
