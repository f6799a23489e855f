// A node whose disk is full promises nothing that it cannot keep and forgets nothing that it has promised: it refuses
// new notifications with the reason, says so in its status, and goes on by itself when there is room (I1, I10).

#include "tests/chaos/stage.hpp"
#include "tools/client/control_client.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace flock::chaos;
using namespace std::chrono_literals;

namespace {

constexpr auto owner = "bender1";

bool has_trouble(stage& s) {
  const auto status = s.flock().node(owner).get("/v1/status");
  return status && (*status)["journal"]["trouble"].as_text();
}

/// What came of a notification from the node with the full disk: the one target of the answer.
flock::value notify(stage& s) {
  const auto reply =
      flock::control_client(s.flock().node(owner).socket())
          .post("/v1/notify?timeout=2s", R"({"resource": "execute[quick]", "action": "run", "node": "bender0"})",
                flock::system_clock().now() + 10s);
  const auto read = reply ? flock::from_json(reply->body) : flock::result<flock::value>(reply.error());
  const auto* targets = read ? (*read)["notifications"].as_list() : nullptr;
  return targets && targets->size() == 1 ? targets->front() : flock::value();
}

bool is_accepted(const flock::value& answer) { return answer["id"].as_text() && answer["error"].is_null(); }

}  // namespace

TEST_CASE("a node whose disk is full refuses what is new, keeps what it has, and recovers when there is room") {
  stage s("full-disk", {.small_disk_of = owner});
  if (!s.disk()) {
    MESSAGE("SKIPPED: full-disk: " << s.why_no_disk());
    return;
  }
  s.begin_load();
  s.let_pass(50);

  s.during(fill(*s.disk(), owner), 0ms, [&] {
    s.expect_soon([&] { return has_trouble(s); }, "its status tells of the trouble");
    const auto refused = notify(s);
    s.expect(!is_accepted(refused), "a notification is not accepted: " + flock::to_json(refused));
    const auto* why = refused["error"]["message"].as_text();
    s.expect(why && why->find("full") != std::string::npos, "the reason is told: " + flock::to_json(refused));
    s.expect(refused["error"]["code"] == flock::value("io"), "as io: " + flock::to_json(refused));
    s.let_pass(20);  // of the others
  });
  s.expect_soon([&] { return !has_trouble(s); }, "the trouble is over");
  s.expect_soon([&] { return is_accepted(notify(s)); }, "it accepts notifications again");

  const auto wrong = s.finish();
  CHECK_MESSAGE(wrong.empty(), wrong);
}
