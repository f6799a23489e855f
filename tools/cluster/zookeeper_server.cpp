#include "tools/cluster/zookeeper_server.hpp"

#include "tools/cluster/files.hpp"

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <netinet/in.h>
#include <set>
#include <sstream>
#include <sys/socket.h>
#include <sys/time.h>
#include <thread>
#include <unistd.h>
#include <utility>

namespace flock::testing {

namespace {

std::string classpath() {
  if (const char* given = std::getenv("FLOCK_ZOOKEEPER_CLASSPATH")) return given;
  // The first names the others in its manifest, all but where it logs to.
  return "/usr/share/java/zookeeper.jar:/usr/share/java/slf4j-simple.jar";
}

std::vector<std::string> command(const std::string& config, int heap_mib) {
  return {"java",
          // Small and quick to start: 60 MB, 0.8 s.
          "-Xms16m", "-Xmx" + std::to_string(heap_mib) + "m", "-Xss256k", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
          "-XX:ReservedCodeCacheSize=16m", "-Dzookeeper.jmx.log4j.disable=true",
          "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-Dorg.slf4j.simpleLogger.showDateTime=true",
          // Containers without children go after a second, not after a minute.
          "-Dznode.container.checkIntervalMs=1000", "-cp", classpath(),
          "org.apache.zookeeper.server.quorum.QuorumPeerMain", config};
}

std::string config_text(const zookeeper_server::options& o) {
  std::ostringstream text;
  const auto& own = o.ensemble[static_cast<std::size_t>(o.number - 1)];
  text << "dataDir=" << o.folder << "/data\n"
       << "clientPortAddress=" << o.host << "\n"
       << "clientPort=" << own.client
       << "\n"
       // Sessions end within a tick of their time-out, and may be as short as two.
       << "tickTime=200\n"
       << "minSessionTimeout=400\n"
       << "maxSessionTimeout=60000\n"
       << "maxClientCnxns=0\n"
       // Java's is 50: of a whole flock that connects at once, the rest would try again after seconds.
       << "clientPortListenBacklog=4096\n"
       << "forceSync=no\n"
       << "4lw.commands.whitelist=*\n"
       // It would want port 8080.
       << "admin.enableServer=false\n";
  if (o.ensemble.size() == 1) return text.str();
  text << "initLimit=50\nsyncLimit=25\n";
  for (std::size_t i = 0; i < o.ensemble.size(); ++i)
    text << "server." << i + 1 << "=127.0.0.1:" << o.ensemble[i].peers << ":" << o.ensemble[i].election << "\n";
  return text.str();
}

/// Which one of an ensemble it is; it wants that among its data.
result<void> write_identity(const zookeeper_server::options& o) {
  if (auto done = make_folder(o.folder + "/data"); !done) return done;
  return write_file(o.folder + "/data/myid", std::to_string(o.number));
}

struct connection {
  explicit connection(milliseconds patience) : fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    timeval limit{patience.count() / 1000, patience.count() % 1000 * 1000};
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  }
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;
  ~connection() { ::close(fd); }

  const int fd;
};

result<std::string> ask_at(const std::string& host, int port, std::string_view request, milliseconds patience) {
  connection server(patience);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  const auto where = host + ":" + std::to_string(port);
  if (::inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1)
    return error{error_code::unreachable, where + " is no IPv4 address"};
  if (::connect(server.fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      ::send(server.fd, request.data(), request.size(), MSG_NOSIGNAL) < 0)
    return error{error_code::unreachable, where + ": " + std::strerror(errno)};
  std::string answer;
  std::array<char, 4096> part{};
  while (true) {
    auto size = ::recv(server.fd, part.data(), part.size(), 0);
    if (size < 0) return error{error_code::timeout, where + ": " + std::strerror(errno)};
    if (size == 0) return answer;
    answer.append(part.data(), static_cast<std::size_t>(size));
  }
}

}  // namespace

std::vector<zookeeper_server::ports> zookeeper_server::pick_ports(int servers) {
  std::set<int> picked;  // one that was found free is found free again until its server listens on it
  const auto pick = [&picked] {
    int port = free_port();
    while (port != 0 && !picked.insert(port).second) port = free_port();
    return port;
  };
  std::vector<ports> all(static_cast<std::size_t>(servers));
  for (auto& p : all) p = {pick(), pick(), pick()};
  return all;
}

result<zookeeper_server> zookeeper_server::start(options o) {
  if (auto done = make_folder(o.folder); !done) return done.error();
  if (auto done = write_file(o.folder + "/zoo.cfg", config_text(o)); !done) return done.error();
  if (auto done = write_identity(o); !done) return done.error();
  auto process = run(o.folder, o.outlives_us, o.heap_mib);
  if (!process) return process.error();
  return zookeeper_server(std::move(o), std::move(*process));
}

result<child> zookeeper_server::run(const std::string& folder, bool outlives_us, int heap_mib) {
  return child::start({.command = command(folder + "/zoo.cfg", heap_mib),
                       .environment = {},
                       .log = folder + "/log",
                       .outlives_us = outlives_us});
}

result<void> zookeeper_server::wait_until_serving(milliseconds patience) {
  auto until = system_clock().now() + patience;
  while (system_clock().now() < until) {
    if (!process_.is_alive())
      return error{error_code::down, "ZooKeeper ended: " + end_of_log(options_.folder + "/log", process_.log_begins())};
    // "ruok" would say imok before it serves.
    auto status = ask("srvr");
    if (status && status->find("Mode:") != std::string::npos) return {};
    std::this_thread::sleep_for(milliseconds(20));
  }
  return error{error_code::timeout, "ZooKeeper at " + address() + " did not serve"};
}

result<void> zookeeper_server::restart() {
  process_.kill();
  auto process = run(options_.folder, options_.outlives_us, options_.heap_mib);
  if (!process) return process.error();
  process_ = std::move(*process);
  return {};
}

result<void> zookeeper_server::wipe() {
  std::error_code failed;
  std::filesystem::remove_all(options_.folder + "/data", failed);
  if (failed) return error{error_code::io, options_.folder + "/data: " + failed.message()};
  return write_identity(options_);
}

void zookeeper_server::pause() { process_.signal(SIGSTOP); }

void zookeeper_server::resume() { process_.signal(SIGCONT); }

result<std::string> zookeeper_server::ask(int port, std::string_view request, milliseconds patience) {
  return ask_at("127.0.0.1", port, request, patience);
}

result<std::string> zookeeper_server::ask(std::string_view request, milliseconds patience) const {
  return ask_at(options_.host, port(), request, patience);
}

}  // namespace flock::testing
