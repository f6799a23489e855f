#include "flock/testing/local_cluster.hpp"

#include "tools/cluster/cluster_folder.hpp"
#include "tools/cluster/files.hpp"
#include "tools/cluster/flockd_process.hpp"
#include "tools/cluster/machine_limits.hpp"
#include "tools/cluster/zookeeper_server.hpp"
#include <flock/certificates.hpp>
#include <flock/name.hpp>

#include <algorithm>
#include <cassert>
#include <csignal>
#include <filesystem>
#include <optional>
#include <set>
#include <sys/un.h>
#include <utility>

namespace flock::testing {

namespace {

namespace fs = std::filesystem;

constexpr milliseconds patience_to_stop{10'000};
constexpr milliseconds patience_to_start{30'000};

std::string name_of_node(const local_cluster::options& o, int number) { return o.prefix + std::to_string(number); }

result<void> check(const local_cluster::options& o) {
  if (o.nodes < 1) return error{error_code::bad_argument, std::to_string(o.nodes) + " nodes are no cluster"};
  if (o.zookeepers != 1 && o.zookeepers != 3)
    return error{error_code::bad_argument, "1 or 3 ZooKeeper servers, not " + std::to_string(o.zookeepers)};
  auto longest = node_id::parse(name_of_node(o, o.nodes - 1));
  if (!longest) return longest.error();
  return {};
}

/// \param near  a folder on the disk that the cluster will be on. Errors: refused
result<void> check_room(const local_cluster::options& o, const fs::path& near) {
  constexpr std::int64_t mib = 1 << 20;
  // Measured with 300 nodes, each of which sees all others, and rounded up.
  const room needed{.descriptors = 100 + 2 * std::int64_t{o.nodes},
                    .tasks = 100 * std::int64_t{o.zookeepers} + 13 * std::int64_t{o.nodes},
                    .memory = 128 * mib * o.zookeepers + 5 * mib * o.nodes,
                    .disk = mib * o.nodes,
                    .ports = 100 + std::int64_t{o.nodes}};
  raise_descriptor_limit();
  auto enough = machine_limits::read(near.string()).allow(needed);
  return enough ? enough : enough.error().within("no room for " + std::to_string(o.nodes) + " nodes");
}

bool has(const settings& lines, std::string_view key) {
  return std::any_of(lines.begin(), lines.end(), [&](const auto& line) { return line.first == key; });
}

result<void> check_socket(const std::string& path) {
  constexpr auto most = sizeof(sockaddr_un::sun_path) - 1;
  if (path.size() <= most) return {};
  return error{error_code::bad_argument,
               path + " is too long for a socket, by " + std::to_string(path.size() - most) + " characters"};
}

}  // namespace

/// The parts of a cluster, in one place that does not move. Ends what runs when it goes.
struct cluster_parts {
  cluster_parts(local_cluster::options o, cluster_folder f, bool temporary)
      : options(std::move(o)), folder(std::move(f)), is_temporary(temporary) {}
  cluster_parts(const cluster_parts&) = delete;
  cluster_parts& operator=(const cluster_parts&) = delete;
  ~cluster_parts();

  result<void> start();
  result<void> start_zookeepers();
  result<void> try_zookeepers();
  result<void> start_nodes();
  result<void> write_node(const cluster_node& node, const std::optional<local_authority>& authority) const;
  result<settings> issue_certificate(const cluster_node& node, const local_authority& authority) const;
  result<void> record(std::string name, pid_t pid) const;

  result<void> wait_until_all_see_all(milliseconds patience);
  result<void> wait_until_sees(cluster_node& node, const std::set<std::string>& others, polling& time);
  /// Told by whoever waits. Errors: shutting_down, down
  result<void> check_still_wanted();

  const local_cluster::options options;
  const cluster_folder folder;
  const bool is_temporary;
  bool is_claimed = false;
  std::string registry;
  std::vector<std::unique_ptr<cluster_zookeeper>> zookeepers;
  std::vector<std::unique_ptr<cluster_node>> nodes;
};

result<void> cluster_parts::start() {
  if (auto done = folder.claim(); !done) return done;
  is_claimed = true;
  if (auto done = start_zookeepers(); !done) return done;
  if (auto done = start_nodes(); !done) return done;
  if (auto done = wait_until_all_see_all(options.patience); !done) return done;
  return write_file(folder.environment(), environment_text(registry, nodes.front()->socket()));
}

/// Between the choice of a port and its use somebody else may have taken it.
result<void> cluster_parts::start_zookeepers() {
  constexpr int attempts = 3;
  for (int attempt = 1;; ++attempt) {
    auto done = try_zookeepers();
    if (done || done.error().code != error_code::down || attempt == attempts) return done;
  }
}

result<void> cluster_parts::try_zookeepers() {
  zookeepers.clear();
  const auto ports = zookeeper_server::pick_ports(options.zookeepers);
  std::string servers;
  for (int number = 1; number <= options.zookeepers; ++number) {
    std::error_code ignored;
    fs::remove_all(folder.zookeeper(number) + "/data", ignored);  // a new registry, where nobody is left
    auto server = zookeeper_server::start({.folder = folder.zookeeper(number),
                                           .ensemble = ports,
                                           .number = number,
                                           .outlives_us = options.outlives_us,
                                           .host = options.zookeeper_host});
    if (!server) return server.error();
    servers += (number > 1 ? "," : "") + server->address();
    const auto pid = server->process().pid();
    zookeepers.push_back(std::make_unique<cluster_zookeeper>(*this, number, *std::move(server)));
    if (auto done = record(cluster_folder::zookeeper_name(number), pid); !done) return done;
  }
  // Should the port be another cluster's after all, this one's nodes are strangers there.
  registry = "zk://" + servers + "/flock/" + incarnation::random().str().substr(0, 8);
  if (options.progress) options.progress("waiting for ZooKeeper");
  polling time(patience_to_start);
  for (auto& server : zookeepers) {
    while (true) {
      auto serving = server->server_->wait_until_serving(milliseconds(100));
      if (serving) break;
      if (serving.error().code == error_code::down || !time.again()) return serving;
      if (auto wanted = check_still_wanted(); !wanted) return wanted;
    }
  }
  return {};
}

result<void> cluster_parts::start_nodes() {
  std::optional<local_authority> authority;
  if (options.tls) {
    auto made = local_authority::make();
    if (!made) return made.error();
    authority = *std::move(made);
  }
  for (int number = 0; number < options.nodes; ++number) {
    nodes.push_back(std::make_unique<cluster_node>(*this, name_of_node(options, number)));
    if (auto done = write_node(*nodes.back(), authority); !done) return done;
  }
  for (auto& node : nodes)
    if (auto done = node->spawn(); !done) return done;
  return {};
}

result<void> cluster_parts::write_node(const cluster_node& node,
                                       const std::optional<local_authority>& authority) const {
  const auto dir = node.dir();
  for (const char* sub : {"/resources.d", "/state"})
    if (auto done = make_folder(dir + sub); !done) return done;
  settings lines{{"id", node.id()},         {"registry", registry},        {"listen", "127.0.0.1:0"},
                 {"socket", node.socket()}, {"state-dir", dir + "/state"}, {"resources", dir + "/resources.d"}};
  if (authority) {
    auto tls = issue_certificate(node, *authority);
    if (!tls) return tls.error();
    lines.insert(lines.end(), tls->begin(), tls->end());
  } else {
    lines.emplace_back("insecure", "true");
  }
  settings given = options.common;
  if (auto own = options.each.find(node.id()); own != options.each.end())
    given.insert(given.end(), own->second.begin(), own->second.end());
  std::erase_if(lines, [&](const auto& line) { return has(given, line.first); });
  lines.insert(lines.end(), given.begin(), given.end());
  if (auto done = write_file(folder.config(node.id()), config_text(lines)); !done) return done;
  auto resources = options.resources.find(node.id());
  return resources == options.resources.end() ? result<void>()
                                              : node.write_resources("cluster.json", resources->second);
}

result<settings> cluster_parts::issue_certificate(const cluster_node& node, const local_authority& authority) const {
  const auto dir = node.dir() + "/tls";
  if (auto done = make_folder(dir); !done) return done.error();
  if (auto done = authority.issue(*node_id::parse(node.id()), dir); !done) return done.error();
  return settings{{"tls-ca", dir + "/ca.pem"}, {"tls-cert", dir + "/cert.pem"}, {"tls-key", dir + "/key.pem"}};
}

result<void> cluster_parts::record(std::string name, pid_t pid) const {
  auto process = recorded_process::of(std::move(name), pid);
  // One that has ended already is told of, with its log, by whoever waits for it.
  return process ? folder.record(*process) : result<void>();
}

result<void> cluster_parts::wait_until_all_see_all(milliseconds patience) {
  std::set<std::string> running;
  for (auto& node : nodes)
    if (node->is_wanted_ && !node->is_paused_) running.insert(node->id());
  polling time(patience);
  std::size_t content = 0;
  for (auto& node : nodes) {
    if (!running.contains(node->id())) continue;
    if (auto sees = wait_until_sees(*node, running, time); !sees) return sees;
    ++content;
    if (options.progress)
      options.progress(std::to_string(content) + " of " + std::to_string(running.size()) + " nodes see all");
  }
  return {};
}

result<void> cluster_parts::wait_until_sees(cluster_node& node, const std::set<std::string>& others, polling& time) {
  while (true) {
    auto seen = alive_nodes(node.socket());
    std::set<std::string> unseen;
    if (seen)
      std::set_difference(others.begin(), others.end(), seen->begin(), seen->end(),
                          std::inserter(unseen, unseen.end()));
    if (seen && unseen.empty()) return {};
    if (auto wanted = check_still_wanted(); !wanted) return wanted;
    if (!time.again()) {
      const auto why = seen ? "does not see " + *unseen.begin() : to_string(seen.error());
      return error{error_code::timeout,
                   node.id() + ": " + why + "\n" + end_of_log(folder.log(node.id()), node.process_->log_begins())};
    }
  }
}

result<void> cluster_parts::check_still_wanted() {
  if (options.cancelled && options.cancelled()) return error{error_code::shutting_down, "cancelled"};
  for (auto& node : nodes)
    if (auto ended = node->unexpected_end()) return *ended;
  return {};
}

cluster_parts::~cluster_parts() {
  // All at once, as each may take a moment.
  for (auto& node : nodes) node->ask_to_end();
  for (auto& node : nodes) node->stop();
  nodes.clear();
  zookeepers.clear();
  if (is_claimed) folder.clear(folder.recorded().value_or({}));
  std::error_code ignored;
  if (is_temporary) fs::remove_all(folder.path(), ignored);
}

cluster_node::cluster_node(cluster_parts& of, std::string id) : of_(of), id_(std::move(id)) {}
cluster_node::~cluster_node() = default;

std::string cluster_node::dir() const { return of_.folder.node(id_); }
std::string cluster_node::socket() const { return of_.folder.socket(id_); }
std::string cluster_node::log() const { return contents(of_.folder.log(id_)); }
pid_t cluster_node::pid() const { return process_ ? process_->pid() : 0; }
bool cluster_node::is_alive() { return process_ && process_->is_alive(); }

result<void> cluster_node::spawn() {
  const auto inside = of_.options.inside.find(id_);
  auto process = start_flockd(of_.folder, id_, of_.options.programs, of_.options.outlives_us,
                              inside == of_.options.inside.end() ? std::vector<std::string>() : inside->second);
  if (!process) return process.error();
  process_ = std::make_unique<child>(*std::move(process));
  is_wanted_ = true;
  is_paused_ = false;
  return of_.record(id_, process_->pid());
}

result<void> cluster_node::start() {
  if (is_alive()) return {};
  if (auto done = spawn(); !done) return done;
  return wait_until_answers(of_.folder, id_, *process_);
}

void cluster_node::ask_to_end() {
  if (!std::exchange(is_wanted_, false)) return;
  process_->ask_to_end();
  resume();
}

int cluster_node::stop() {
  ask_to_end();
  if (!process_) return 0;
  auto status = process_->wait(patience_to_stop);
  return status ? *status : process_->kill();
}

result<void> cluster_node::restart() {
  stop();
  return start();
}

void cluster_node::kill() {
  is_wanted_ = false;
  if (process_) process_->kill();
}

void cluster_node::pause() {
  is_paused_ = true;
  if (process_) process_->signal(SIGSTOP);
}

void cluster_node::resume() {
  is_paused_ = false;
  if (process_) process_->signal(SIGCONT);
}

std::optional<error> cluster_node::unexpected_end() {
  if (!is_wanted_) return std::nullopt;
  auto status = process_->wait(milliseconds(0));
  if (!status) return std::nullopt;
  return how_it_ended(of_.folder, id_, *process_, *status);
}

result<void> cluster_node::write_resources(std::string_view file, std::string_view json) const {
  return write_file(dir() + "/resources.d/" + std::string(file), json);
}

result<value> cluster_node::get(std::string_view target, milliseconds patience) const {
  return get_json(socket(), target, patience);
}

result<program_result> cluster_node::flockctl(const std::vector<std::string>& arguments, milliseconds patience) const {
  auto output = make_temporary_folder();
  if (!output) return output.error();
  std::vector<std::string> command{find_program(of_.options.programs, "flockctl")};
  command.insert(command.end(), arguments.begin(), arguments.end());
  auto process = child::start({.command = std::move(command),
                               .environment = {{"FLOCK_SOCKET", socket()}},
                               .log = *output + "/err",
                               .output = *output + "/out"});
  result<program_result> ended = program_result{};
  if (process) {
    auto status = process->wait(patience);
    ended->exit_status = status ? *status : process->kill();
    ended->out = contents(*output + "/out");
    ended->err = contents(*output + "/err");
  } else {
    ended = process.error();
  }
  std::error_code ignored;
  fs::remove_all(*output, ignored);
  return ended;
}

cluster_zookeeper::cluster_zookeeper(cluster_parts& of, int number, zookeeper_server&& server)
    : of_(of), number_(number), server_(std::make_unique<zookeeper_server>(std::move(server))) {}
cluster_zookeeper::~cluster_zookeeper() = default;

std::string cluster_zookeeper::address() const { return server_->address(); }
pid_t cluster_zookeeper::pid() const { return server_->process().pid(); }
bool cluster_zookeeper::is_alive() { return server_->process().is_alive(); }
result<std::string> cluster_zookeeper::ask(std::string_view request) const {
  return server_->ask(request, milliseconds(5000));
}
void cluster_zookeeper::kill() { server_->kill(); }
void cluster_zookeeper::pause() { server_->pause(); }
void cluster_zookeeper::resume() { server_->resume(); }

result<void> cluster_zookeeper::begin_start() {
  if (is_alive()) return {};
  if (auto done = server_->restart(); !done) return done;
  return of_.record(cluster_folder::zookeeper_name(number_), pid());
}

result<void> cluster_zookeeper::start() {
  if (auto done = begin_start(); !done) return done;
  return server_->wait_until_serving(patience_to_start);
}

result<void> cluster_zookeeper::wipe() { return server_->wipe(); }

result<local_cluster> local_cluster::start(options o) {
  if (auto good = check(o); !good) return good.error();
  const bool temporary = o.folder.empty();
  if (temporary) {
    auto made = make_temporary_folder();
    if (!made) return made.error();
    o.folder = *made;
  }
  cluster_folder folder(fs::absolute(o.folder).lexically_normal().string());
  auto parts = std::make_unique<cluster_parts>(std::move(o), folder, temporary);
  const auto longest = name_of_node(parts->options, parts->options.nodes - 1);
  if (auto good = check_socket(folder.socket(longest)); !good) return good.error();
  if (auto enough = check_room(parts->options, fs::path(folder.path()).parent_path()); !enough) return enough.error();
  if (auto done = parts->start(); !done) return done.error();
  return local_cluster(std::move(parts));
}

local_cluster::local_cluster(std::unique_ptr<cluster_parts> parts) : parts_(std::move(parts)) {}
local_cluster::local_cluster(local_cluster&&) noexcept = default;
local_cluster& local_cluster::operator=(local_cluster&&) noexcept = default;
local_cluster::~local_cluster() = default;

const std::string& local_cluster::folder() const { return parts_->folder.path(); }
const std::string& local_cluster::registry() const { return parts_->registry; }

cluster_node& local_cluster::node(std::string_view id) {
  auto& all = parts_->nodes;
  auto found = std::find_if(all.begin(), all.end(), [&](const auto& each) { return each->id() == id; });
  assert(found != all.end());
  return **found;
}

std::vector<std::string> local_cluster::ids() const {
  std::vector<std::string> all;
  for (const auto& each : parts_->nodes) all.push_back(each->id());
  return all;
}

cluster_zookeeper& local_cluster::zookeeper(int number) {
  return *parts_->zookeepers.at(static_cast<std::size_t>(number - 1));
}

result<void> local_cluster::wait_until_all_see_all(milliseconds patience) {
  return parts_->wait_until_all_see_all(patience);
}

void local_cluster::leave_running() {
  for (auto& node : parts_->nodes)
    if (node->process_) node->process_->release();
  for (auto& server : parts_->zookeepers) server->server_->process().release();
  parts_->nodes.clear();
  parts_->zookeepers.clear();
  parts_->is_claimed = false;
}

}  // namespace flock::testing
