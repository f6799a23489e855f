#include "libflock/membership/directory.hpp"
#include "libflock/words/notification.hpp"
#include "tools/flockctl/command.hpp"
#include <flock/name.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <utility>

namespace flock::ctl {
namespace {

using namespace std::chrono_literals;

constexpr milliseconds longest_wait = 5min;
constexpr milliseconds between_looks = 250ms;
constexpr milliseconds one_look = 5s;

// What a node's Chef runs are asked through, and how a condition names them.
constexpr std::string_view api_actor = "flock_api";
constexpr std::string_view run_word = "run";

error wrong(std::string what) { return {error_code::bad_argument, std::move(what)}; }

/// "bender1=alive", "bender1/run=idle", "bender1/execute[x]=updated"
struct condition {
  std::string text;
  std::string node;
  std::string actor;  ///< empty: the node itself
  std::string state;

  bool of_run() const { return actor == run_word; }
};

bool is_state_of(const condition& c) {
  if (c.of_run()) return c.state == "active" || c.state == "idle";
  if (!c.actor.empty()) return outcome_from(c.state).has_value() || c.state == "idle" || c.state == "running";
  static constexpr std::array states = {"alive", "suspect", "dead", "left"};
  return std::find(states.begin(), states.end(), c.state) != states.end();
}

result<condition> read_condition(const std::string& text) {
  const auto equals = text.rfind('=');
  if (equals == std::string::npos)
    return wrong("no condition: " + text + "; NODE=alive, NODE/RESOURCE=OUTCOME or NODE/run=idle");
  const auto whom = text.substr(0, equals);
  const auto slash = whom.find('/');
  const auto node = node_id::parse(whom.substr(0, slash));
  if (!node) return node.error().within(text);
  condition c{text, node->str(), slash == std::string::npos ? std::string() : whom.substr(slash + 1),
              text.substr(equals + 1)};
  if (slash != std::string::npos && !c.of_run())
    if (auto name = resource_name::parse(c.actor); !name) return name.error().within(text);
  if (!is_state_of(c)) {
    const char* states = c.of_run()        ? "active or idle"
                         : c.actor.empty() ? "alive, suspect, dead or left"
                                           : "updated, up_to_date, skipped, failed, idle or running";
    return wrong(text + ": what is waited for is " + states);
  }
  return c;
}

result<value> call(const invocation& i, const condition& c, std::string_view actor, const std::string& method) {
  const auto path =
      target({"v1", "call", c.node, std::string(actor), method}, {{"timeout", format_duration(one_look)}});
  auto answer = i.flockd.post(path, value::list{}, i.time.now() + one_look + 1s);
  if (!answer) return answer.error();
  return (*answer)["result"];
}

/// Whether it holds now. Errors: what cannot be asked at present
result<bool> holds(const invocation& i, const condition& c) {
  if (c.of_run()) {
    const auto active = call(i, c, api_actor, "active");
    if (!active) return active.error();
    return *active == value(c.state == "active");
  }
  if (!c.actor.empty()) {
    const auto state = call(i, c, c.actor, "state");
    if (!state) return state.error();
    return (*state)["outcome"] == value(c.state) || (*state)["state"] == value(c.state);
  }
  const auto node = i.flockd.get(target({"v1", "nodes", c.node}, {{"timeout", format_duration(one_look)}}),
                                 i.time.now() + one_look + 1s);
  if (!node) return node.error();
  return (*node)["state"] == value(c.state);
}

/// What does not exist or answer may do so later; what is wrong or forbidden stays so.
bool may_pass(const error& why) {
  return why.code != error_code::bad_argument && why.code != error_code::refused && why.code != error_code::protocol;
}

}  // namespace

result<exit_code> wait_for(const invocation& i) {
  std::vector<condition> open;
  for (const auto& text : i.words.operands) {
    auto read = read_condition(text);
    if (!read) return read.error();
    open.push_back(*std::move(read));
  }
  const auto until = i.time.now() + i.patience(longest_wait);
  std::optional<error> last;
  for (;;) {
    const console::waiting shown(i.out, "waiting for " + open.front().text);
    for (auto c = open.begin(); c != open.end();) {
      const auto held = holds(i, *c);
      if (!held && !may_pass(held.error())) return held.error().within(c->text);
      last = held ? std::nullopt : std::optional(held.error().within(c->text));
      c = held && *held ? open.erase(c) : c + 1;
    }
    if (open.empty()) return exit_code::ok;
    if (i.time.now() >= until) break;
    i.sleep(std::min(between_looks, std::chrono::ceil<milliseconds>(until - i.time.now())));
  }
  for (const auto& c : open) i.out.say("not in time: " + c.text);
  if (last) i.out.say(last->what);
  return exit_code::timed_out;
}

}  // namespace flock::ctl
