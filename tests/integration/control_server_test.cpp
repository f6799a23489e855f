#include "node/control/control_server.hpp"

#include "tests/support/scripted_api.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tools/client/control_client.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <memory>
#include <poll.h>
#include <stdexcept>
#include <string>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using flock::control_client;
using flock::control_server;
using flock::error_code;
using flock::value;

namespace {

flock::time_point in(flock::milliseconds d) { return flock::system_clock().now() + d; }

template <class Question> bool eventually(Question is_so) {
  for (const auto until = in(10s); flock::system_clock().now() < until; std::this_thread::sleep_for(5ms))
    if (is_so()) return true;
  return is_so();
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// A connection whose client does as it likes.
class raw_client {
 public:
  explicit raw_client(const std::string& path) : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un where{};
    where.sun_family = AF_UNIX;
    std::memcpy(where.sun_path, path.c_str(), path.size() + 1);
    REQUIRE(::connect(fd_, reinterpret_cast<const sockaddr*>(&where), sizeof(where)) == 0);
  }
  raw_client(raw_client&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  raw_client(const raw_client&) = delete;
  ~raw_client() {
    if (fd_ >= 0) ::close(fd_);
  }

  raw_client& send(std::string_view text) {
    for (const auto until = in(10s); !text.empty() && flock::system_clock().now() < until;) {
      const auto sent = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent > 0) text.remove_prefix(static_cast<std::size_t>(sent));
      if (sent < 0 && errno != EAGAIN) break;
    }
    return *this;
  }

  // What comes until the text ends like this, the connection ends, or ten seconds pass.
  std::string receive(const std::string& end = {}) {
    std::string all;
    char buffer[4096];
    for (const auto until = in(10s); flock::system_clock().now() < until;) {
      pollfd readable{fd_, POLLIN, 0};
      if (::poll(&readable, 1, 100) == 0) continue;
      const auto size = ::recv(fd_, buffer, sizeof(buffer), 0);
      if (size <= 0) return all + "<end>";
      all.append(buffer, static_cast<std::size_t>(size));
      if (!end.empty() && all.size() >= end.size() && all.substr(all.size() - end.size()) == end) return all;
    }
    return all + "<nothing more>";
  }

  bool is_open() const {
    pollfd p{fd_, 0, 0};
    return ::poll(&p, 1, 0) == 0;
  }

 private:
  int fd_;
};

struct fixture {
  flock::testing::temporary_folder folder;
  std::string socket = folder.path() / "flockd.sock";
  std::vector<std::string> log;  // written before the server's thread starts, or by it: read once it has gone
  flock::control_server_options options{
      .socket = socket, .group = "no-such-group-here", .log = [this](std::string_view level, const std::string& text) {
        log.push_back(std::string(level) + " " + text);
      }};
  flock::testing::scripted_api backend{flock::system_clock()};
  std::unique_ptr<control_server> server;
  control_client client{socket};

  flock::result<std::unique_ptr<control_server>> try_start() { return control_server::start(options, backend.api); }
  void start() {
    auto started = try_start();
    REQUIRE(started);
    server = *std::move(started);
  }

  raw_client connect() const { return raw_client(socket); }
};

const std::string ask_status = "GET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n";
const std::string end_of_status = "{}\n";

}  // namespace

TEST_CASE_FIXTURE(fixture, "the control socket answers one request after the other on one connection") {
  start();
  auto raw = connect();

  const auto first = raw.send(ask_status).receive(end_of_status);
  const auto second = raw.send("GET /nowhere HTTP/1.1\r\nConnection: close\r\n\r\n").receive();
  const auto both = connect().send(ask_status + ask_status + "GET / HTTP/1.0\r\n\r\n").receive();

  CHECK(has(first, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 3\r\n\r\n{}\n"));
  CHECK(has(second, "HTTP/1.1 404 Not Found\r\n"));
  CHECK(has(second, "no such path: /nowhere"));
  CHECK(has(second, "<end>"));
  CHECK(has(both, "{}\nHTTP/1.1 200 OK"));
  CHECK(has(both, "no such path: /"));
  CHECK(has(connect().send("PUT /v1/nodes HTTP/1.1\r\n\r\n").receive("}\n"), "Allow: GET\r\n"));
}

TEST_CASE_FIXTURE(fixture, "the control client gets what the backend answers, however long") {
  start();
  backend.reply = value(value::map{{"long", std::string(5 << 20, 'x')}});

  const auto reply = client.get("/v1/status", in(10s));
  const auto posted = client.post("/v1/call/bender1/itchy/fight", "[1]", in(10s));

  REQUIRE(reply);
  CHECK(reply->status == 200);
  CHECK(reply->body.size() == (5 << 20) + 12);
  CHECK(posted);
  CHECK(backend.asked() == "POST /v1/call/bender1/itchy/fight [1]");
}

TEST_CASE_FIXTURE(fixture, "the control client says why there is no reply") {
  CHECK(client.get("/v1/status", in(1s)).error().code == error_code::unreachable);
  CHECK(control_client(std::string(108, 'x')).get("/", in(1s)).error().code == error_code::bad_argument);
  CHECK(control_client("").get("/", in(1s)).error().code == error_code::bad_argument);

  start();
  std::vector<flock::responder> never;
  backend.on_question = [&](auto done) { never.push_back(std::move(done)); };

  CHECK(client.get("/v1/status", in(50ms)).error().code == error_code::timeout);
  CHECK(client.post("/v1/reload", "", in(50ms)).error().code == error_code::maybe_done);
  CHECK(client.post("/v1/reload", "", in(0ms)).error().code == error_code::timeout);
  server.reset();
}

TEST_CASE_FIXTURE(fixture, "the control socket is for its user and its group only, and goes with the server") {
  start();

  struct stat s {};
  REQUIRE(::stat(socket.c_str(), &s) == 0);
  CHECK(S_ISSOCK(s.st_mode));
  CHECK((s.st_mode & 0777) == 0660);

  server.reset();
  CHECK_FALSE(std::filesystem::exists(socket));
  REQUIRE(log.size() == 1);
  CHECK(has(log.front(), "warning there is no group no-such-group-here"));
}

TEST_CASE_FIXTURE(fixture, "a socket that nobody answers on is replaced, any other file is not") {
  {
    const int left = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un where{};
    where.sun_family = AF_UNIX;
    std::memcpy(where.sun_path, socket.c_str(), socket.size() + 1);
    REQUIRE(::bind(left, reinterpret_cast<const sockaddr*>(&where), sizeof(where)) == 0);
    ::close(left);
  }
  start();
  CHECK(client.get("/v1/status", in(10s)));

  const auto second = try_start();
  REQUIRE_FALSE(second);
  CHECK(second.error().code == error_code::conflict);
  CHECK(client.get("/v1/status", in(10s)));

  server.reset();
  std::ofstream(socket) << "precious";
  CHECK(try_start().error().code == error_code::io);
  CHECK(std::filesystem::file_size(socket) == 8);
}

TEST_CASE_FIXTURE(fixture, "a control socket that cannot be is an error that names it") {
  options.socket = folder.path() / "missing" / "flockd.sock";
  CHECK(has(try_start().error().what, options.socket));

  options.socket = std::string(108, 'x');
  CHECK(try_start().error().code == error_code::bad_argument);
}

TEST_CASE_FIXTURE(fixture, "a server removes only the socket that it made") {
  start();
  std::filesystem::rename(socket, socket + ".old");
  auto mine = std::move(server);
  start();

  mine.reset();

  CHECK(client.get("/v1/status", in(10s)));
}

TEST_CASE_FIXTURE(fixture, "a thousand idle connections cost only themselves") {
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  rlimit raised{std::min<rlim_t>(before.rlim_max, 4096), before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &raised) == 0);
  options.connections = 256;
  start();

  {
    std::vector<raw_client> idle;
    for (int i = 0; i < 1000; ++i) {
      idle.push_back(connect());
      if (i % 2 == 0) idle.back().send("GET /v1/st");
      if (i % 100 == 0) CHECK(client.get("/v1/status", in(5s)));
    }
    const auto open = [&] { return std::count_if(idle.begin(), idle.end(), [](auto& c) { return c.is_open(); }); };

    CHECK(eventually([&] { return open() <= 256; }));
    CHECK(open() >= 200);
    CHECK(idle.back().is_open());
    CHECK_FALSE(idle.front().is_open());
    CHECK(client.get("/v1/status", in(5s)));
  }
  ::setrlimit(RLIMIT_NOFILE, &before);
}

TEST_CASE_FIXTURE(fixture, "a half request and an idle connection end when patience does") {
  options.patience = 100ms;
  start();

  auto half = connect();
  auto idle = connect();
  half.send("POST /v1/reload HTTP/1.1\r\nContent-Length: 5\r\n\r\n{");

  CHECK(half.receive() == "<end>");
  CHECK(idle.receive() == "<end>");
  CHECK(backend.asked().empty());
}

TEST_CASE_FIXTURE(fixture, "what is too long or no HTTP is answered with what is wrong") {
  start();
  const std::string line(1000, 'x');
  std::string headers = "GET /v1/status HTTP/1.1\r\n";
  for (int i = 0; i < 100; ++i) headers += "X-" + std::to_string(i) + ": " + line + "\r\n";
  const std::string body = "POST /v1/reload HTTP/1.1\r\nContent-Length: 2000000\r\n\r\n" + std::string(2'000'000, ' ');
  std::string chunks = "POST /v1/reload HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 2000; ++i) chunks += "3e8\r\n" + line + "\r\n";

  CHECK(has(connect().send(headers + "\r\n").receive(), "HTTP/1.1 431 "));
  CHECK(has(connect().send("GET /" + std::string(100'000, 'x')).receive(), "HTTP/1.1 431 "));
  CHECK(has(connect().send(body).receive(), "HTTP/1.1 413 "));
  CHECK(has(connect().send(chunks).receive(), "HTTP/1.1 413 "));
  CHECK(has(connect().send("SSH-2.0-OpenSSH_9.2\r\n").receive(), "HTTP/1.1 400 "));
  CHECK(has(connect().send("GET /v1/status\r\n\r\n").receive(), "\"code\":\"protocol\""));
  CHECK(backend.asked().empty());
  CHECK(client.get("/v1/status", in(10s)));
}

TEST_CASE_FIXTURE(fixture, "a backend that throws breaks one request, not the server") {
  start();
  backend.on_question = [](const auto&) { throw std::runtime_error("disk on fire"); };

  for (int i = 0; i < 2; ++i) {
    const auto reply = client.get("/v1/status", in(10s));
    REQUIRE(reply);
    CHECK(reply->status == 500);
    CHECK(has(reply->body, "disk on fire"));
  }
}

TEST_CASE_FIXTURE(fixture, "a client that goes before its answer gives its place to another") {
  options.connections = 1;
  start();
  std::atomic<int> asked = 0;
  flock::responder first;
  backend.on_question = [&](auto done) {
    if (asked++ == 0) return first = std::move(done), void();
    done(value(value::map{}));
  };

  {
    auto busy = connect();
    busy.send(ask_status);
    REQUIRE(eventually([&] { return asked == 1; }));
    CHECK(connect().receive() == "<end>");
  }
  CHECK(eventually([&] { return client.get("/v1/status", in(1s)).has_value(); }));
  first(value(value::map{}));  // for nobody

  CHECK(client.get("/v1/status", in(10s)));
}

TEST_CASE_FIXTURE(fixture, "an answer that comes after the server is gone is dropped") {
  start();
  std::atomic<bool> asked = false;
  flock::responder late;
  backend.on_question = [&](auto done) {
    late = std::move(done);
    asked = true;
  };
  auto raw = connect();
  raw.send(ask_status);
  REQUIRE(eventually([&] { return asked.load(); }));

  server.reset();
  late(value(value::map{}));

  CHECK(raw.receive() == "<end>");
}

TEST_CASE_FIXTURE(fixture, "events follow each other from a cursor on, without loss or repetition") {
  start();
  for (int i = 0; i < 3; ++i) backend.add_event("joined");
  std::string seen;

  const auto followed = client.follow("/v1/events", "life.1", in(10s), [&](const flock::server_sent_event& e) {
    seen += e.id + " ";
    if (seen.size() < 50) backend.add_event("left");
    return e.id != "life.8";
  });

  CHECK(followed);
  CHECK(seen.substr(0, 49) == "life.2 life.3 life.4 life.5 life.6 life.7 life.8 ");
  CHECK(eventually([&] { return backend.followers() == 0; }));
}

TEST_CASE_FIXTURE(fixture, "a follower of events hears a heartbeat and, at the end, of the server's") {
  options.heartbeat = 20ms;
  start();
  auto raw = connect();

  const auto head = raw.send("GET /v1/events HTTP/1.1\r\n\r\n").receive(":\n\n:\n\n");
  backend.add_event("joined");
  const auto rest = raw.receive("}\n\n");

  CHECK(has(head, "Content-Type: text/event-stream\r\n"));
  CHECK_FALSE(has(head, "Content-Length"));
  CHECK(has(rest, "id: life.1\ndata: {"));

  server.reset();
  CHECK(has(raw.receive(), "<end>"));
  CHECK(backend.followers() == 0);
}

TEST_CASE_FIXTURE(fixture, "a follower that does not read is disconnected, and the others hear all") {
  options.patience = 300ms;
  start();
  auto slow = connect();
  slow.send("GET /v1/events HTTP/1.1\r\n\r\n");
  std::atomic<int> heard = 0;
  std::thread quick([&] { (void)client.follow("/v1/events", "", in(20s), [&](const auto&) { return ++heard < 40; }); });
  REQUIRE(eventually([&] { return backend.followers() == 2; }));

  const std::string much(100'000, 'x');
  for (int i = 1; i <= 40; ++i) {
    backend.add_event("joined", {{"much", much}});
    REQUIRE(eventually([&] { return heard >= i; }));
  }

  quick.join();
  CHECK(heard == 40);
  CHECK(eventually([&] { return backend.followers() == 0; }));
  CHECK(has(slow.receive(), "<end>"));
}

TEST_CASE_FIXTURE(fixture, "the connection ends behind the last of what is followed") {
  const flock::control_operation counting{.method = "GET", .path = "/count", .id = "count", .answer = {.words = ""}};
  backend.api.add(counting, [](flock::control_exchange& x) {
    const auto numbers = std::make_shared<flock::event_stream>();
    numbers->push("data: 1\n\n");
    numbers->finish("event: end\ndata: {}\n\n");
    x.done({.content_type = "text/event-stream", .events = numbers});
    return flock::result<void>();
  });
  start();

  const auto all = connect().send("GET /count HTTP/1.1\r\n\r\n").receive();

  CHECK(has(all, "\r\n\r\ndata: 1\n\nevent: end\ndata: {}\n\n<end>"));
}
