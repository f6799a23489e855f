#include "tests/chaos/private_network.hpp"

#include "tests/support/polling.hpp"
#include "tools/cluster/child.hpp"
#include "tools/cluster/files.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sched.h>
#include <unistd.h>
#include <utility>

namespace flock::chaos {

using testing::child;

namespace {

namespace fs = std::filesystem;

constexpr auto own_namespace = "/proc/thread-self/ns/net";
// No card has it: frames to it are thrown away by all who get them.
constexpr auto nobody = "02:ff:ff:ff:ff:ff";

error system_error(const std::string& what) { return error{error_code::refused, what + ": " + std::strerror(errno)}; }

std::string joined(const std::vector<std::string>& words) {
  std::string line;
  for (const auto& w : words) line += (line.empty() ? "" : " ") + w;
  return line;
}

result<void> run(const std::vector<std::string>& command) {
  const auto folder = testing::make_temporary_folder();
  if (!folder) return folder.error();
  const auto log = *folder + "/log";
  auto started = child::start({.command = command, .environment = {}, .log = log});
  const auto status = started ? started->wait(milliseconds(10'000)) : std::nullopt;
  auto said = started ? testing::contents(log) : started.error().what;
  std::error_code ignored;
  fs::remove_all(*folder, ignored);
  if (status == 0) return {};
  return error{error_code::io, joined(command) + ": " + said};
}

std::string namespace_of(pid_t process) { return "/proc/" + std::to_string(process) + "/ns/net"; }

}  // namespace

/// Where somebody is. Its addresses are of a net that is set aside for trials, see RFC 2544 and RFC 6890.
struct private_network::place {
  place(std::string its_name, int its_number) : name(std::move(its_name)), number(its_number) {}

  std::string address() const { return "198.18.0." + std::to_string(number); }
  std::string hardware_address() const {
    std::array<char, 18> text{};
    std::snprintf(text.data(), text.size(), "02:00:00:00:00:%02x", static_cast<unsigned>(number) & 0xffU);
    return text.data();
  }
  /// Words before a command that is to run there.
  std::vector<std::string> inside() const {
    return holder ? std::vector<std::string>{"nsenter", "--net=" + namespace_of(holder->pid())}
                  : std::vector<std::string>();
  }
  std::string device() const { return holder ? "eth0" : "hub"; }
  result<void> ip(const std::vector<std::string>& arguments) const {
    auto command = inside();
    command.emplace_back("ip");
    command.insert(command.end(), arguments.begin(), arguments.end());
    return run(command);
  }

  const std::string name;
  const int number;
  std::unique_ptr<child> holder;  // keeps the namespace; none: it is this thread's
};

result<std::unique_ptr<private_network>> private_network::make(const std::vector<std::string>& nodes) {
  std::unique_ptr<private_network> made(new private_network);
  if (auto entered = made->enter(); !entered) return entered.error();
  if (auto built = made->build(nodes); !built) return error{error_code::refused, built.error().what};
  return made;
}

private_network::~private_network() {
  places_.clear();
  if (outside_ < 0) return;
  [[maybe_unused]] const auto back = ::setns(outside_, CLONE_NEWNET);
  assert(back == 0);
  ::close(outside_);
}

result<void> private_network::enter() {
  const int outside = ::open(own_namespace, O_RDONLY | O_CLOEXEC);
  if (outside < 0) return system_error(own_namespace);
  if (::unshare(CLONE_NEWNET) == 0) {
    outside_ = outside;
    return {};
  }
  const auto why = system_error("no network namespace");
  ::close(outside);
  return why;
}

result<void> private_network::build(const std::vector<std::string>& nodes) {
  places_.push_back(std::make_unique<place>(zookeeper_place, 1));
  const auto& hub = *places_.front();
  for (const auto& command : std::vector<std::vector<std::string>>{
           {"link", "set", "lo", "up"},
           {"link", "add", "hub", "address", hub.hardware_address(), "type", "bridge"},
           {"addr", "add", hub.address() + "/24", "dev", "hub"},
           {"link", "set", "hub", "up"}})
    if (auto done = hub.ip(command); !done) return done;
  for (const auto& node : nodes)
    if (auto done = add(node); !done) return done;
  for (const auto& from : places_)
    for (const auto& to : places_)
      if (from != to)
        if (auto done = mend(from->name, to->name); !done) return done;
  return {};
}

result<void> private_network::add(const std::string& node) {
  auto added = std::make_unique<place>(node, static_cast<int>(places_.size()) + 1);
  auto holder = child::start({.command = {"unshare", "--net", "sleep", "infinity"}});
  if (!holder) return holder.error();
  added->holder = std::make_unique<child>(*std::move(holder));
  const auto pid = added->holder->pid();
  std::error_code failed;
  const auto has_its_own = [&] {
    return fs::read_symlink(namespace_of(pid), failed) != fs::read_symlink(own_namespace, failed) && !failed;
  };
  if (!testing::eventually(has_its_own)) return error{error_code::io, "unshare --net does not"};
  const auto& hub = *places_.front();
  const auto port = "to" + std::to_string(added->number);
  if (auto done = hub.ip({"link", "add", port, "type", "veth", "peer", "name", "eth0", "address",
                          added->hardware_address(), "netns", std::to_string(pid)});
      !done)
    return done;
  if (auto done = hub.ip({"link", "set", port, "master", "hub", "up"}); !done) return done;
  for (const auto& command :
       std::vector<std::vector<std::string>>{{"link", "set", "lo", "up"},
                                             {"addr", "add", added->address() + "/24", "dev", "eth0"},
                                             {"link", "set", "eth0", "up"}})
    if (auto done = added->ip(command); !done) return done;
  places_.push_back(std::move(added));
  return {};
}

void private_network::take_in(testing::local_cluster::options& o) const {
  o.tls = true;
  o.zookeeper_host = at(zookeeper_place).address();
  for (const auto& p : places_) {
    if (!p->holder) continue;
    o.inside[p->name] = p->inside();
    o.each[p->name].emplace_back("listen", p->address() + ":0");
  }
}

result<void> private_network::cut(const std::string& from, const std::string& to) { return point(from, to, nobody); }

result<void> private_network::mend(const std::string& from, const std::string& to) {
  return point(from, to, at(to).hardware_address());
}

/// Says to one which card has the address of another.
result<void> private_network::point(const std::string& from, const std::string& to,
                                    const std::string& hardware_address) {
  const auto& there = at(from);
  return there.ip(
      {"neigh", "replace", at(to).address(), "lladdr", hardware_address, "nud", "permanent", "dev", there.device()});
}

const private_network::place& private_network::at(const std::string& name) const {
  const auto found = std::find_if(places_.begin(), places_.end(), [&](const auto& p) { return p->name == name; });
  assert(found != places_.end());
  return **found;
}

}  // namespace flock::chaos
