#include "flock/testing/local_cluster.hpp"
#include "tools/cluster/cluster_folder.hpp"
#include "tools/cluster/command_line.hpp"
#include "tools/cluster/flockd_process.hpp"
#include "tools/cluster/zookeeper_server.hpp"
#include <flock/standard_output.hpp>
#include <flock/version.hpp>

#include <boost/program_options.hpp>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <iostream>
#include <map>
#include <optional>
#include <string>
#include <unistd.h>
#include <vector>

namespace {

namespace po = boost::program_options;
using namespace flock::testing;
using flock::error;
using flock::error_code;
using flock::milliseconds;
using flock::result;

constexpr const char* help = R"(flock-cluster - a whole flock on this machine

usage:
  flock-cluster up --dir D [--nodes N] [--prefix P] [--zookeepers 1|3] [--tls]
                   [--set KEY=VALUE]... [--timeout T]
  flock-cluster down --dir D
  flock-cluster restart|kill|pause|resume --dir D ID

Starts private ZooKeeper servers and N flockd, all on the loopback and on free
ports, so that clusters in different folders do not meet.

commands:
  up        starts a cluster in D and returns when all nodes see each other;
            prints a line per node: id, pid, address, control socket.
            If something fails, it says which process and why, and ends what
            it has started
  down      ends exactly what was started in D. Fine where nothing runs; also
            after a crash. Logs and the nodes' state stay
  restart   asks a node to end, starts it again and returns when it answers;
            starts one that does not run. Also a ZooKeeper server
  kill      kills a process as a crash would (SIGKILL)
  pause     stops a process's time (SIGSTOP): it is there, but silent
  resume    lets it go on (SIGCONT)

ID is that of a node, such as bender0, or zookeeper/1.

options:
  --dir D            the cluster's folder; made if it is missing
  --nodes N          how many nodes (default: 2)
  --prefix P         ids are P0, P1, ... (default: bender)
  --zookeepers 1|3   one server, or an ensemble of three (default: 1)
  --tls              nodes talk mutual TLS, with certificates of an authority
                     made for this cluster
  --set KEY=VALUE    a line for every flockd.conf, such as heartbeat=200ms
  --timeout T        how long `up` waits for all nodes (default: 60s, and half
                     a second for each node)
  --help             shows this
  --version          shows the version

files:
  D/env                          shell variables: FLOCK_REGISTRY, and the
                                 FLOCK_SOCKET of the first node
  D/ID/flockd.{conf,sock,pid,log}
  D/ID/resources.d/              its resource files; may be filled before `up`
  D/ID/state/                    its journal
  D/zookeeper/N/{pid,log}
  D/processes                    what `down` ends

exit status:
  0 done   1 failed   2 usage   4 no such ID

example:
  flock-cluster up --dir /tmp/flock --nodes 3
  . /tmp/flock/env
  flockctl nodes
  flock-cluster down --dir /tmp/flock
)";

enum exit_status { done = 0, failed = 1, usage = 2, no_such_id = 4 };

constexpr milliseconds patience_to_stop{10'000};

volatile std::sig_atomic_t interrupted = 0;

int complain(const error& e, int status = failed) {
  std::cerr << "flock-cluster: " << e.what << '\n';
  return status;
}

/// What is waited for, on one line of a terminal; nothing elsewhere.
class progress_line {
 public:
  ~progress_line() { show(""); }

  void show(const std::string& text) {
    if (is_terminal_) std::cerr << '\r' << text << "\033[K" << std::flush;
  }

 private:
  const bool is_terminal_ = ::isatty(STDERR_FILENO) == 1;
};

void print_nodes(local_cluster& cluster) {
  std::map<std::string, std::string> addresses;
  if (auto answer = cluster.node(cluster.ids().front()).get("/v1/nodes")) {
    if (const auto* nodes = (*answer)["nodes"].as_list())
      for (const auto& each : *nodes)
        if (const auto* id = each["id"].as_text(), *address = each["address"].as_text(); id && address)
          addresses[*id] = *address;
  }
  for (const auto& id : cluster.ids()) {
    auto& node = cluster.node(id);
    std::cout << id << "  pid " << node.pid() << "  " << addresses[id] << "  " << node.socket() << '\n';
  }
}

int up(local_cluster::options o) {
  progress_line line;
  o.outlives_us = true;
  o.progress = [&](const std::string& text) { line.show(text); };
  o.cancelled = [] { return interrupted != 0; };
  for (int number : {SIGINT, SIGTERM, SIGHUP}) std::signal(number, [](int) { interrupted = 1; });
  auto cluster = local_cluster::start(std::move(o));
  line.show("");
  if (!cluster && cluster.error().code == error_code::conflict)
    return complain({error_code::conflict, cluster.error().what + "; `flock-cluster down` ends and cleans it"});
  if (!cluster) return complain(cluster.error(), cluster.error().code == error_code::bad_argument ? usage : failed);
  print_nodes(*cluster);
  cluster->leave_running();
  return done;
}

int down(const cluster_folder& folder) {
  auto all = folder.recorded();
  if (!all && all.error().code == error_code::not_found) return done;
  if (!all) return complain(all.error());
  // Nodes first: while they can, they say goodbye to the registry.
  auto servers =
      std::stable_partition(all->begin(), all->end(), [](const auto& p) { return !p.name.starts_with("zookeeper/"); });
  if (auto ended = end_all({all->begin(), servers}, patience_to_stop); !ended) return complain(ended.error());
  if (auto ended = end_all({servers, all->end()}, patience_to_stop); !ended) return complain(ended.error());
  folder.clear(*all);
  return done;
}

int restart(const cluster_folder& folder, const recorded_process& before) {
  if (auto ended = end_all({before}, patience_to_stop); !ended) return complain(ended.error());
  const bool is_server = before.name.starts_with("zookeeper/");
  auto process =
      is_server ? zookeeper_server::run(folder.node(before.name), true) : start_flockd(folder, before.name, "", true);
  if (!process) return complain(process.error());
  if (auto now = recorded_process::of(before.name, process->pid())) {
    if (auto noted = folder.record(*now); !noted) return complain(noted.error());
  }
  auto ready = is_server ? result<void>() : wait_until_answers(folder, before.name, *process);
  if (!ready) return complain(ready.error());
  process->release();
  return done;
}

int signal(const recorded_process& process, int number) {
  if (process.is_anothers()) return complain({error_code::refused, process.name + " is another user's"});
  if (process.signal(number)) return done;
  return complain({error_code::down, process.name + " does not run"});
}

int act_on(const cluster_folder& folder, const std::string& command, const std::string& id) {
  auto all = folder.recorded();
  if (!all) return complain(all.error());
  auto process = std::find_if(all->begin(), all->end(), [&](const auto& p) { return p.name == id; });
  if (process == all->end()) return complain({error_code::not_found, "no " + id + " in " + folder.path()}, no_such_id);
  if (command == "restart") return restart(folder, *process);
  if (command == "pause") return signal(*process, SIGSTOP);
  if (command == "resume") return signal(*process, SIGCONT);
  if (!process->is_running()) return complain({error_code::down, id + " does not run"});
  auto ended = end_all({*process}, milliseconds(0));
  return ended ? done : complain(ended.error());
}

struct request {
  std::string command;
  std::vector<std::string> ids;
  std::string dir;
  std::vector<std::string> set;
  std::string timeout;
  local_cluster::options cluster;
};

int wrong(const std::string& what) {
  return complain({error_code::bad_argument, what + "; see flock-cluster --help"}, usage);
}

int carry_out(request r) {
  static const std::vector<std::string> on_one{"restart", "kill", "pause", "resume"};
  const bool has_id = std::find(on_one.begin(), on_one.end(), r.command) != on_one.end();
  if (r.command != "up" && r.command != "down" && !has_id)
    return wrong((r.command.empty() ? "no command" : "no such command: " + r.command) +
                 "; there is up, down, restart, kill, pause, resume");
  if (r.dir.empty()) return wrong(r.command + " needs --dir");
  if (has_id && (r.ids.size() != 1 || r.ids.front().empty())) return wrong(r.command + " needs one ID");
  if (!has_id && !r.ids.empty()) return wrong("unexpected: " + r.ids.front());
  const cluster_folder folder(std::filesystem::absolute(r.dir).lexically_normal().string());
  if (has_id) return act_on(folder, r.command, r.ids.front());
  if (r.command == "down") return down(folder);

  if (r.cluster.zookeepers != 1 && r.cluster.zookeepers != 3)
    return wrong("--zookeepers is one of 1|3, not " + std::to_string(r.cluster.zookeepers));
  r.cluster.folder = folder.path();
  for (const auto& line : r.set) {
    const auto equals = line.find('=');
    if (equals == std::string::npos || equals == 0) return wrong("--set " + line + ": not KEY=VALUE");
    r.cluster.common.emplace_back(line.substr(0, equals), line.substr(equals + 1));
  }
  // Each node reads of each other one.
  auto patience = r.timeout.empty() ? result(r.cluster.patience + r.cluster.nodes * milliseconds(500))
                                    : flock::parse_duration(r.timeout);
  if (!patience) return wrong("--timeout " + patience.error().what);
  r.cluster.patience = *patience;
  return up(std::move(r.cluster));
}

}  // namespace

int main(int argc, char** argv) {
  request r;
  po::options_description options;
  options.add_options()("command", po::value(&r.command))("id", po::value(&r.ids))("dir", po::value(&r.dir))(
      "nodes", po::value(&r.cluster.nodes))("prefix", po::value(&r.cluster.prefix))(
      "zookeepers", po::value(&r.cluster.zookeepers))("tls", po::bool_switch(&r.cluster.tls))("set", po::value(&r.set))(
      "timeout", po::value(&r.timeout))("help,h", "")("version", "");
  po::positional_options_description positional;
  positional.add("command", 1).add("id", -1);
  try {
    const auto given = understood({argv + 1, argv + argc}, options, positional);
    if (given.contains("help")) {
      std::cout << help;
      return flock::end_of_output("flock-cluster", done);
    }
    if (given.contains("version")) {
      std::cout << "flock-cluster " << flock::version() << '\n';
      return flock::end_of_output("flock-cluster", done);
    }
  } catch (const po::error& e) {
    return wrong(e.what());
  }
  return flock::end_of_output("flock-cluster", carry_out(std::move(r)));
}
