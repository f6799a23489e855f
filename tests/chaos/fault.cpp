#include "tests/chaos/fault.hpp"

#include "tests/support/polling.hpp"
#include "tests/support/zookeeper_session.hpp"

#include <utility>

namespace flock::chaos {

using testing::local_cluster;

namespace {

constexpr auto registry = "the registry";

std::string joined(const std::vector<std::string>& names) {
  std::string all;
  for (const auto& n : names) all += (all.empty() ? "" : " and ") + n;
  return all;
}

result<std::uint64_t> session_of(const testing::cluster_node& node) {
  const auto status = node.get("/v1/status");
  if (!status) return status.error();
  const auto* session = (*status)["registry"]["session"].as_int();
  if (!session) return error{error_code::protocol, "no session in the status of " + node.id()};
  return static_cast<std::uint64_t>(*session);
}

/// Whether the server that serves sessions of this cluster is there to be asked.
testing::zookeeper_answers answers_of(local_cluster& flock) {
  return [&flock](std::string_view request) { return flock.zookeeper().ask(request); };
}

result<void> nothing() { return {}; }

}  // namespace

fault kill(local_cluster& flock, std::vector<std::string> nodes) {
  auto name = "kill -9 of " + joined(nodes);
  auto begin = [&flock, nodes]() -> result<void> {
    for (const auto& id : nodes) flock.node(id).kill();
    return {};
  };
  auto end = [&flock, nodes]() -> result<void> {
    for (const auto& id : nodes)
      if (auto started = flock.node(id).start(); !started) return started;
    return {};
  };
  return {std::move(name), std::move(nodes), std::move(begin), std::move(end)};
}

fault pause(local_cluster& flock, std::string node, milliseconds lasts) {
  auto begin = [&flock, node]() -> result<void> { return flock.node(node).pause(), result<void>(); };
  auto end = [&flock, node]() -> result<void> { return flock.node(node).resume(), result<void>(); };
  return {"SIGSTOP of " + node + " for " + format_duration(lasts), {node}, std::move(begin), std::move(end), lasts};
}

fault restart(local_cluster& flock, std::string node) {
  auto begin = [&flock, node]() -> result<void> {
    const auto status = flock.node(node).stop();
    if (status == 0) return {};
    return error{error_code::io, node + " ended with status " + std::to_string(status) + " when it was asked to"};
  };
  auto end = [&flock, node] { return flock.node(node).start(); };
  return {"restart of " + node, {node}, std::move(begin), std::move(end)};
}

fault cut(private_network& net, std::string from, std::string to) {
  auto begin = [&net, from, to]() -> result<void> {
    if (auto there = net.cut(from, to); !there) return there;
    return net.cut(to, from);
  };
  auto end = [&net, from, to]() -> result<void> {
    if (auto there = net.mend(from, to); !there) return there;
    return net.mend(to, from);
  };
  return {"cut between " + from + " and " + to, {from, to}, std::move(begin), std::move(end)};
}

fault cut_one_way(private_network& net, std::string from, std::string to) {
  auto begin = [&net, from, to] { return net.cut(from, to); };
  auto end = [&net, from, to] { return net.mend(from, to); };
  return {"cut from " + from + " to " + to, {from, to}, std::move(begin), std::move(end)};
}

fault end_session(local_cluster& flock, std::string node) {
  auto begin = [&flock, node]() -> result<void> {
    const auto session = session_of(flock.node(node));
    if (!session) return session.error();
    if (*session == 0) return {};  // it has none: it was started while the registry was away
    // Its client would take the session back at once, and be quicker than we are. It stands still for milliseconds.
    flock.node(node).pause();
    auto ended = testing::end_session(answers_of(flock), *session);
    flock.node(node).resume();
    return ended;
  };
  return {"end of the session of " + node, {node, registry}, std::move(begin), nothing};
}

fault kill_zookeeper(local_cluster& flock, int number) {
  auto begin = [&flock, number]() -> result<void> { return flock.zookeeper(number).kill(), result<void>(); };
  auto end = [&flock, number] { return flock.zookeeper(number).start(); };
  return {"kill -9 of ZooKeeper " + std::to_string(number), {registry}, std::move(begin), std::move(end)};
}

fault pause_zookeeper(local_cluster& flock, int number) {
  auto begin = [&flock, number]() -> result<void> { return flock.zookeeper(number).pause(), result<void>(); };
  auto end = [&flock, number]() -> result<void> { return flock.zookeeper(number).resume(), result<void>(); };
  return {"SIGSTOP of ZooKeeper " + std::to_string(number), {registry}, std::move(begin), std::move(end)};
}

fault wipe_zookeepers(local_cluster& flock, int servers) {
  auto begin = [&flock, servers]() -> result<void> {
    for (int number = 1; number <= servers; ++number) flock.zookeeper(number).kill();
    for (int number = 1; number <= servers; ++number)
      if (auto wiped = flock.zookeeper(number).wipe(); !wiped) return wiped;
    return {};
  };
  auto end = [&flock, servers]() -> result<void> {
    for (int number = 1; number <= servers; ++number)
      if (auto begun = flock.zookeeper(number).begin_start(); !begun) return begun;
    for (int number = 1; number <= servers; ++number)
      if (auto serves = flock.zookeeper(number).start(); !serves) return serves;
    return {};
  };
  return {"loss of all that ZooKeeper had stored", {registry}, std::move(begin), std::move(end)};
}

fault fill(small_disk& disk, std::string node) {
  auto begin = [&disk] { return disk.fill(); };
  auto end = [&disk]() -> result<void> { return disk.make_room(), result<void>(); };
  return {"full disk of " + node, {std::move(node)}, std::move(begin), std::move(end)};
}

}  // namespace flock::chaos
