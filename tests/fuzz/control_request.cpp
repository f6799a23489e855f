#include "node/control/control_api.hpp"
#include "node/daemon.hpp"
#include "tests/fuzz/solitary_node.hpp"

#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

// A request on the control socket: the input is its method and target, a line, then its body. It is answered once, in
// JSON that says what was wrong if anything was, by a daemon that is alone.

using namespace flock;
using fuzz::require;

namespace {

/// A machine on which nothing changes and no Chef runs.
struct idle_machine final : machine {
  result<reading> read_again() override { return error{error_code::io, "no files here"}; }
  std::optional<std::string> chef_file(const config&) override { return std::nullopt; }
  void forget_chef_file(const config&) override {}
  bool is_chef_locked(const config&) override { return false; }
  void start_chef(const config&, chef_runs::reason, chef_ended) override {}
};

struct lonely_daemon {
  testing::manual_storage disk{"storage"};
  fuzz::solitary_node node{disk};
  idle_machine on;
  flock::daemon daemon{{*node.core, node.time, on, [](auto, const auto&) {}}, {}};
  control_api api{node.time};

  lonely_daemon() {
    daemon.start({{}, flock::policy("")});
    daemon.answer_on(api);
    node.core->resume();
    node.live(milliseconds(100));
  }

  std::vector<control_response> answers(const control_request& to) {
    std::vector<control_response> all;
    api.handle(to, [&](control_response r) { all.push_back(std::move(r)); });
    // Longer than anybody waits, but for those who say so.
    node.live(milliseconds(6000));
    return all;
  }
};

void check(const control_response& r) {
  require(r.status >= 200 && r.status < 600, "an answer has a status");
  if (r.content_type != "application/json") return;
  const auto body = from_json(r.body, {.bytes = r.body.size()});
  require(body.has_value(), "an answer is JSON");
  if (r.status < 400) return;
  require((*body).at_path("error.code").as_text() && (*body).at_path("error.message").as_text(), "a refusal says why");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto text = fuzz::as_text(data, size);
  auto line = fuzz::take_line(text);
  const auto space = std::min(line.find(' '), line.size());
  const control_request request{.method = std::string(line.substr(0, space)),
                                .target = std::string(line.substr(std::min(space + 1, line.size()))),
                                .last_event_id = {},
                                .body = std::string(text)};
  const fuzz::allowance cost((16 << 20) + 20'000 * size);
  lonely_daemon flockd;

  const auto answers = flockd.answers(request);

  require(answers.size() <= 1, "a request is answered once");
  // Whoever says so waits for longer.
  require(answers.size() == 1 || request.target.find('?') != std::string::npos, "a request is answered");
  for (const auto& a : answers) check(a);
  return 0;
}
