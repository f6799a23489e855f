#include "tools/bench/lifecycle.hpp"

#include "tools/bench/daemon.hpp"
#include "tools/bench/statistics.hpp"
#include "tools/bench/tcp_floor.hpp"
#include "tools/cluster/child.hpp"
#include "tools/cluster/files.hpp"
#include "tools/cluster/flockd_process.hpp"

#include <csignal>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace flock::bench {

namespace {

constexpr milliseconds patience{30'000};
// Of a list that was read twice just now, a node waits with the next reading: see chores::due. Longer than that.
constexpr milliseconds quiet{500};
constexpr const char* process_floor = "fork, exec and connect of a process with nothing but a socket";

double between(instant from, instant to) { return std::chrono::duration<double, std::milli>(to - from).count(); }

measurement measured(const char* workload, const char* what, const char* unit, const settings& with,
                     const char* floor = nullptr) {
  measurement m{workload, what, unit, with.common(), {}, {}};
  if (floor) m.floors.push_back({floor, {}});
  return m;
}

result<double> process_time(const stage& on) {
  const stopwatch time;
  auto peer = tcp_peer::start("tcp_idle", on.log());
  if (!peer) return peer.error();
  return time.milliseconds();
}

/// A flockd that has joined, and an observer that is connected with it.
result<daemon_process> joined(const stage& on, observer& by, const std::string& id) {
  auto daemon = daemon_process::start(on, id);
  if (!daemon) return daemon.error();
  if (auto ready = daemon->wait_until_ready(); !ready) return ready.error();
  if (auto told = by.told("joined", id, patience); !told) return told.error();
  if (auto connected = by.connect(id); !connected) return connected.error();
  return daemon;
}

/// Sends a signal to flockd after flockd and measures how long it takes until the observer is told of each.
result<void> signal_each(const settings& with, const stage& on, int signal, const std::string& event,
                         std::vector<double>& times) {
  auto by = observer::start(on, "observing");
  if (!by) return by.error();
  for (int repeat = 0; repeat < with.repeats; ++repeat) {
    const auto id = "node" + std::to_string(repeat);
    auto daemon = joined(on, **by, id);
    if (!daemon) return daemon.error();
    const auto begin = stopwatch::clock::now();
    daemon->process().signal(signal);
    auto told = (*by)->told(event, id, patience);
    if (!told) return told.error();
    times.push_back(between(begin, *told));
  }
  return {};
}

result<double> socket_end_time(const stage& on) {
  auto peer = tcp_peer::start("tcp_idle", on.log());
  if (!peer) return peer.error();
  char byte = 0;
  const stopwatch time;
  peer->process().signal(SIGKILL);
  if (peer->socket().read(&byte, 1)) return error{error_code::protocol, "a killed process wrote"};
  return time.milliseconds();
}

result<void> run_join(const settings& with, const report& to) {
  auto on = stage::set_up(with);
  if (!on) return on.error();
  auto by = observer::start(*on, "observing");
  if (!by) return by.error();
  auto m = measured("join", "joined", "ms", with, process_floor);
  for (int repeat = 0; repeat < with.repeats; ++repeat) {
    auto floor = process_time(*on);
    if (!floor) return floor.error();
    const auto id = "node" + std::to_string(repeat);
    std::this_thread::sleep_for(quiet);  // the one before has left, and not to be measured is how soon after that
    auto daemon = daemon_process::start(*on, id);
    if (!daemon) return daemon.error();
    auto told = (*by)->told("joined", id, patience);
    if (!told) return on->with_log(told.error());
    m.repeats.push_back(between(daemon->begin(), *told));
    m.floors[0].repeats.push_back(*floor);
  }
  to(m);
  return {};
}

result<void> run_kill(const settings& with, const report& to) {
  auto on = stage::set_up(with);
  if (!on) return on.error();
  auto m = measured("kill", "failed", "ms", with,
                    "kill of a process with nothing but a socket, to its end at the other side");
  for (int repeat = 0; repeat < with.repeats; ++repeat) {
    auto floor = socket_end_time(*on);
    if (!floor) return floor.error();
    m.floors[0].repeats.push_back(*floor);
  }
  if (auto done = signal_each(with, *on, SIGKILL, "failed", m.repeats); !done) return on->with_log(done.error());
  to(m);
  return {};
}

result<void> run_stop(const settings& with, const report& to) {
  auto on = stage::set_up(with);
  if (!on) return on.error();
  auto m = measured("stop", "suspect", "ms", with);
  if (auto done = signal_each(with, *on, SIGSTOP, "suspect", m.repeats); !done) return on->with_log(done.error());
  to(m);
  return {};
}

/// \param registry  empty: the stage's
result<void> measure_start(const settings& with, const report& to, const stage& on, const char* what,
                           const std::string& registry) {
  auto m = measured("start", what, "ms", with, process_floor);
  for (int repeat = 0; repeat < with.repeats; ++repeat) {
    auto floor = process_time(on);
    if (!floor) return floor.error();
    auto daemon = daemon_process::start(on, std::string(what) + std::to_string(repeat), registry);
    if (!daemon) return daemon.error();
    if (auto ready = daemon->wait_until_ready(); !ready) return ready;
    m.repeats.push_back(between(daemon->begin(), stopwatch::clock::now()));
    m.floors[0].repeats.push_back(*floor);
  }
  to(m);
  return {};
}

result<void> run_start(const settings& with, const report& to) {
  auto on = stage::set_up(with);
  if (!on) return on.error();
  if (auto done = measure_start(with, to, *on, "ready", {}); !done) return done;
  const auto nobody = "zk://127.0.0.1:" + std::to_string(testing::free_port()) + "/flock";
  return measure_start(with, to, *on, "ready_without_zookeeper", nobody);
}

/// What `flockctl ping` prints, in microseconds.
result<std::vector<double>> ping_times(const stage& on, std::int64_t count) {
  const auto out = on.folder() + "/pings";
  auto process =
      testing::child::start({.command = {testing::find_program("", "flockctl"), "--socket", on.socket("asking"),
                                         "--format", "json", "ping", "answering", "--count", std::to_string(count)},
                             .environment = {},
                             .log = on.log(),
                             .output = out});
  if (!process) return process.error();
  const auto status = process->wait(patience + count * milliseconds(2));
  std::istringstream lines(testing::contents(out));
  ::unlink(out.c_str());
  if (status != 0) return on.with_log({error_code::io, "flockctl ping failed"});
  std::vector<double> times;
  for (std::string line; std::getline(lines, line);) {
    auto pong = from_json(line);
    if (!pong) return pong.error();
    const auto time = from_value<double>((*pong)["rtt_us"]);
    if (!time) return time.error().within(line);
    times.push_back(*time);
  }
  return times;
}

result<void> measure_pings(const settings& with, const report& to, const stage& on) {
  auto echo = tcp_peer::start("tcp_echo", on.log());
  if (!echo) return echo.error();
  const auto count = with.number("pings");
  auto p50 = measured("ping", "p50", "us", with, "blocking TCP_NODELAY echo");
  auto p99 = measured("ping", "p99", "us", with, "blocking TCP_NODELAY echo");
  for (int repeat = 0; repeat < with.repeats; ++repeat) {
    auto echoes = echo_times(*echo, 1, static_cast<std::size_t>(count));
    if (!echoes) return echoes.error();
    auto times = ping_times(on, count);
    if (!times) return times.error();
    for (auto [m, percent] : {std::pair(&p50, 50.0), std::pair(&p99, 99.0)}) {
      m->repeats.push_back(percentile(*times, percent));
      m->floors[0].repeats.push_back(percentile(*echoes, percent));
    }
  }
  for (auto* m : {&p50, &p99}) {
    m->parameters.emplace("pings", count);
    to(*m);
  }
  return {};
}

result<void> run_ping(const settings& with, const report& to) {
  auto on = stage::set_up(with);
  if (!on) return on.error();
  auto asking = daemon_process::start(*on, "asking");
  if (!asking) return asking.error();
  auto answering = daemon_process::start(*on, "answering");
  if (!answering) return answering.error();
  for (auto* daemon : {&*asking, &*answering})
    if (auto ready = daemon->wait_until_ready(); !ready) return ready;
  return measure_pings(with, to, *on);
}

}  // namespace

workload join_workload() {
  return {"join", "from the start of a flockd until another node sees it, through ZooKeeper", {}, run_join};
}

workload kill_workload() {
  return {"kill", "from kill -9 of a connected flockd until another node knows that it is dead", {}, run_kill};
}

workload stop_workload() {
  return {"stop", "from SIGSTOP of a connected flockd until another node suspects it", {}, run_stop};
}

workload start_workload() {
  return {
      "start", "from the start of a flockd until it says that it is ready, with and without ZooKeeper", {}, run_start};
}

workload ping_workload() {
  return {"ping",
          "what flockctl ping prints: round trips between two flockd",
          {{"pings", "200", "how many in a repeat"}},
          run_ping};
}

}  // namespace flock::bench
