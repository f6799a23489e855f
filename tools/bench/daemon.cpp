#include "tools/bench/daemon.hpp"

#include "libflock/core/node_core.hpp"
#include "tools/cluster/files.hpp"
#include "tools/cluster/flockd_process.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <future>
#include <poll.h>
#include <string_view>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>

namespace flock::bench {

namespace {

constexpr milliseconds patience{30'000};

/// Where a service is told to say READY=1. Source: sd_notify(3)
result<int> listen_for_readiness(const std::string& path) {
  sockaddr_un at{};
  at.sun_family = AF_UNIX;
  if (path.size() >= sizeof at.sun_path)
    return error{error_code::bad_argument, path + " is too long for a socket; give a shorter --dir"};
  path.copy(at.sun_path, path.size());
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || ::bind(fd, reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0) {
    const error why{error_code::io, path + ": " + std::strerror(errno)};
    if (fd >= 0) ::close(fd);
    return why;
  }
  return fd;
}

}  // namespace

result<daemon_process> daemon_process::start(const stage& on, const std::string& id, const std::string& registry) {
  auto options = on.node_options(id);
  if (!options) return options.error();
  if (!registry.empty()) *std::next(std::find(options->begin(), options->end(), "--registry")) = registry;
  const auto path = on.folder() + "/" + id + "/ready";
  auto fd = listen_for_readiness(path);
  if (!fd) return fd.error();
  daemon_process out;
  out.on_ = &on;
  out.id_ = id;
  out.ready_ = *fd;
  std::vector<std::string> command{testing::find_program("", "flockd"), "--config", "/dev/null"};
  command.insert(command.end(), options->begin(), options->end());
  out.begin_ = stopwatch::clock::now();
  auto process =
      testing::child::start({.command = std::move(command), .environment = {{"NOTIFY_SOCKET", path}}, .log = on.log()});
  if (!process) return process.error();
  out.process_ = *std::move(process);
  return out;
}

daemon_process::daemon_process(daemon_process&& other) noexcept
    : on_(other.on_),
      id_(std::move(other.id_)),
      ready_(std::exchange(other.ready_, -1)),
      begin_(other.begin_),
      process_(std::move(other.process_)) {}

daemon_process::~daemon_process() {
  if (ready_ >= 0) ::close(ready_);
}

result<void> daemon_process::wait_until_ready() {
  const auto until = stopwatch::clock::now() + patience;
  while (stopwatch::clock::now() < until) {
    pollfd told{ready_, POLLIN, 0};
    std::array<char, 256> text{};
    if (::poll(&told, 1, 100) == 1) {
      const auto size = ::recv(ready_, text.data(), text.size(), 0);
      if (size > 0 && std::string_view(text.data(), static_cast<std::size_t>(size)).starts_with("READY=1")) return {};
    }
    if (auto status = process_->wait(milliseconds(0)))
      return on_->with_log({error_code::down, id_ + " ended with status " + std::to_string(*status)});
  }
  return on_->with_log({error_code::timeout, id_ + " does not get ready"});
}

result<std::unique_ptr<observer>> observer::start(const stage& on, const std::string& id) {
  auto made = on.start_node(id);
  if (!made) return made.error();
  std::unique_ptr<observer> out(new observer(*std::move(made)));
  out->follow();
  return out;
}

observer::~observer() { node_.stop(); }

void observer::follow() {
  auto& core = node_.core();
  std::promise<void> followed;
  core.home().post([&] {
    core.events().follow([this](const event& e) {
      const auto peer = e.members.find("peer");
      if (peer == e.members.end()) return;
      std::lock_guard lock(mutex_);
      first_.emplace(std::pair(e.type, *peer->second.as_text()), stopwatch::clock::now());
      news_.notify_all();
    });
    core.nodes({}, core.now() + patience, [&](const auto&) { followed.set_value(); });
  });
  followed.get_future().wait();
}

result<instant> observer::told(const std::string& type, const std::string& of, milliseconds at_most) {
  std::unique_lock lock(mutex_);
  const std::pair what(type, of);
  if (!news_.wait_for(lock, at_most, [&] { return first_.contains(what); }))
    return error{error_code::timeout, "not told within " + format_duration(at_most) + ": " + type + " " + of};
  return first_.at(what);
}

result<void> observer::connect(const std::string& with) {
  auto answer = node_.call(with + "/" + std::string(node_actor), "ping", {});
  return answer ? result<void>() : answer.error();
}

}  // namespace flock::bench
