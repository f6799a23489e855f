#include "tools/bench/fanout.hpp"

#include "libflock/core/node_core.hpp"
#include "tools/bench/daemon.hpp"
#include "tools/bench/quiet_resource.hpp"
#include "tools/bench/statistics.hpp"
#include "tools/bench/stopwatch.hpp"
#include "tools/bench/tcp_floor.hpp"
#include "tools/cluster/machine_limits.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace flock::bench {

namespace {

constexpr std::size_t echo_bytes = 64;
constexpr milliseconds patience{60'000};
constexpr int heap_mib = 256;  // for a thousand sessions

/// What so many nodes take, each with its journal and its echo, in all repeats. Measured with a thousand, and rounded
/// up.
testing::room room_for(std::int64_t nodes, std::int64_t notifications) {
  constexpr std::int64_t kib = 1 << 10, mib = 1 << 20;
  testing::room all;
  all.descriptors = 200 + 4 * nodes;  // two processes, the echo's socket and a connection
  all.tasks = 200 + 13 * nodes;
  all.memory = (heap_mib + 256) * mib + nodes * 4 * mib;
  all.disk = nodes * std::min(20 * mib, mib + notifications * 40 * kib);  // a journal's log is cut at 16 MiB
  all.ports = 100 + nodes;                                                // towards ZooKeeper
  return all;
}

/// Before anything is started.
result<void> check_room(const settings& with) {
  const auto& sizes = with.list("nodes");
  const auto most = *std::max_element(sizes.begin(), sizes.end());
  testing::raise_descriptor_limit();
  const auto needed = room_for(most, (with.number("rounds") + 1) * with.repeats * static_cast<int>(sizes.size()));
  auto enough = testing::machine_limits::read(with.folder).allow(needed);
  return enough ? enough : enough.error().within("no room for " + std::to_string(most) + " nodes");
}

/// Nodes with a quiet resource, each a process; it only grows.
struct crowd {
  std::vector<node_id> ids;
  std::vector<testing::child> processes;
  std::vector<tcp_peer> echoes;  ///< as many, for the floor
};

/// Until there are so many, and ZooKeeper has all of them.
result<void> grow(crowd& c, std::size_t nodes, const stage& on) {
  auto by = observer::start(on, "observer" + std::to_string(nodes));
  if (!by) return by.error();
  const auto before = c.ids.size();
  while (c.ids.size() < nodes) {
    const auto id = "node" + std::to_string(c.ids.size());
    auto process = on.start_node_role("quiet", id);
    if (!process) return process.error();
    auto echo = tcp_peer::start("tcp_echo", on.log(), echo_bytes);
    if (!echo) return echo.error();
    c.ids.push_back(*node_id::parse(id));
    c.processes.push_back(*std::move(process));
    c.echoes.push_back(*std::move(echo));
  }
  for (auto i = before; i < nodes; ++i)
    if (auto told = (*by)->told("joined", c.ids[i].str(), patience + nodes * milliseconds(200)); !told)
      return on.with_log(told.error());
  return {};
}

/// Connects with all at once. \returns milliseconds until all have answered
result<double> storm(node_core& core, const std::vector<node_id>& nodes) {
  struct state {
    std::size_t left;
    std::optional<error> failure;
    std::promise<result<void>> ended;
  };
  // Answers come on several threads; in home() they are counted one by one.
  auto s = std::make_shared<state>(state{nodes.size(), {}, {}});
  auto ended = s->ended.get_future();
  const stopwatch time;
  for (const auto& id : nodes) {
    core.ask_node(id, "ping", {}, core.now() + patience, [&core, s](const result<value>& answer) {
      core.home().post([s, why = answer ? std::optional<error>() : answer.error()] {
        if (why) s->failure = why;
        if (--s->left == 0) s->ended.set_value(s->failure ? result<void>(*s->failure) : result<void>());
      });
    });
  }
  if (auto how = ended.get(); !how) return how.error();
  return time.milliseconds();
}

/// Milliseconds from one request to the last of its receipts.
struct round_times {
  double accepted = 0;
  double succeeded = 0;
};

/// One notification to many, again and again, each after all of the one before have succeeded. Lives in home().
class rounds {
 public:
  rounds(node_core& core, wanted_action what, std::size_t count)
      : core_(core), what_(std::move(what)), nodes_(what_.where.nodes.size()), count_(count) {}

  result<std::vector<round_times>> run() {
    auto ended = ended_.get_future();
    core_.home().post([this] {
      listening_ = core_.on_progress([this](const notification_record& r) { heard(r); });
      begin();
    });
    auto how = ended.get();
    listening_.reset();
    if (!how) return how.error();
    return times_;
  }

 private:
  void begin() {
    accepted_ = succeeded_ = 0;
    times_.emplace_back();
    begin_ = stopwatch();
    core_.notify(what_, [this](const result<std::vector<notifier::sent>>& all) {
      if (!all) return end(all.error());
      for (const auto& each : *all)
        if (!each.taken) return end(each.taken.error());
    });
  }

  void heard(const notification_record& r) {
    if (r.state() == receipt_state::accepted && ++accepted_ == nodes_) times_.back().accepted = begin_.milliseconds();
    if (is_terminal(r.state()) && r.state() != receipt_state::succeeded)
      return end(r.last().why.value_or(error{error_code::io, "a notification did not succeed"}));
    if (r.state() != receipt_state::succeeded || ++succeeded_ < nodes_) return;
    times_.back().succeeded = begin_.milliseconds();
    if (times_.size() == count_) return end({});
    begin();
  }

  void end(const std::optional<error>& why) {
    if (!std::exchange(has_ended_, true)) ended_.set_value(why ? result<void>(*why) : result<void>());
  }

  node_core& core_;
  const wanted_action what_;
  const std::size_t nodes_;
  const std::size_t count_;
  std::shared_ptr<void> listening_;
  std::vector<round_times> times_;
  stopwatch begin_;
  std::size_t accepted_ = 0;
  std::size_t succeeded_ = 0;
  bool has_ended_ = false;
  std::promise<result<void>> ended_;
};

struct repeat_times {
  double connected = 0;
  double accepted = 0;
  double succeeded = 0;
  double floor = 0;
};

/// From a new node, which is connected with nobody yet.
result<repeat_times> once(const crowd& c, std::size_t count, const stage& on, const std::string& id) {
  auto origin = on.start_node(id);
  if (!origin) return origin.error();
  repeat_times out;
  auto connected = storm(origin->core(), c.ids);
  if (!connected) return connected.error().within("connecting with all");
  out.connected = *connected;
  auto echoes = fanout_times(c.echoes, echo_bytes, count);
  if (!echoes) return echoes.error();
  out.floor = percentile(*echoes, 50) / 1e3;

  wanted_action what{*resource_name::parse(quiet_resource::name), "run", {}};
  what.where.nodes = c.ids;
  auto all = rounds(origin->core(), std::move(what), count + 1).run();
  if (!all) return all.error();
  std::vector<double> accepted, succeeded;
  for (std::size_t i = 1; i < all->size(); ++i) {  // the first one warms up
    accepted.push_back((*all)[i].accepted);
    succeeded.push_back((*all)[i].succeeded);
  }
  out.accepted = percentile(accepted, 50);
  out.succeeded = percentile(succeeded, 50);
  return out;
}

result<void> measure(const settings& with, const report& to, const crowd& c, const stage& on) {
  const auto count = static_cast<std::size_t>(with.number("rounds"));
  constexpr const char* floor = "64 B to as many TCP_NODELAY echoes, until all have answered";
  auto parameters = with.common();
  parameters.emplace("nodes", c.ids.size());
  parameters.emplace("rounds", count);
  measurement connected{"fanout", "connected", "ms", parameters, {}, {}};
  measurement accepted{"fanout", "accepted_p50", "ms", parameters, {}, {{floor, {}}}};
  measurement succeeded{"fanout", "succeeded_p50", "ms", parameters, {}, {{floor, {}}}};
  for (int repeat = 0; repeat < with.repeats; ++repeat) {
    auto seen = once(c, count, on, "origin" + std::to_string(c.ids.size()) + "-" + std::to_string(repeat));
    if (!seen) return seen.error();
    connected.repeats.push_back(seen->connected);
    accepted.repeats.push_back(seen->accepted);
    succeeded.repeats.push_back(seen->succeeded);
    for (auto* m : {&accepted, &succeeded}) m->floors[0].repeats.push_back(seen->floor);
  }
  for (const auto* m : {&connected, &accepted, &succeeded}) to(*m);
  return {};
}

result<void> run(const settings& with, const report& to) {
  if (auto enough = check_room(with); !enough) return enough;
  auto on = stage::set_up(with, heap_mib);
  if (!on) return on.error();
  crowd c;
  for (const auto nodes : with.list("nodes")) {
    if (auto grown = grow(c, static_cast<std::size_t>(nodes), *on); !grown) return grown;
    if (auto done = measure(with, to, c, *on); !done) return on->with_log(done.error());
  }
  return {};
}

}  // namespace

workload fanout_workload() {
  return {
      "fanout",
      "one notification to many nodes, each a process: until the last one's receipt is back, that it is accepted and "
      "that it has succeeded; and the time to connect with all of them at once",
      {{"nodes", "50,200,1000", "how many, in growing order"}, {"rounds", "100", "how many notifications in a repeat"}},
      run};
}

}  // namespace flock::bench
