#include "tools/bench/stage.hpp"

#include "tools/cluster/files.hpp"
#include <flock/config.hpp>
#include <flock/name.hpp>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <unistd.h>
#include <utility>

namespace flock::bench {

namespace {

namespace fs = std::filesystem;

constexpr milliseconds patience_for_zookeeper{30'000};

result<std::string> make_folder_in(const std::string& where) {
  auto pattern = where + "/flock-bench-XXXXXX";
  if (::mkdtemp(pattern.data()) == nullptr) return error{error_code::io, where + ": " + std::strerror(errno)};
  return pattern;
}

bool is_in_path(const std::string& program) {
  const char* path = std::getenv("PATH");
  const std::string folders = std::string(path ? path : "") + ":";
  for (std::size_t begin = 0, end = 0; (end = folders.find(':', begin)) != std::string::npos; begin = end + 1)
    if (::access((folders.substr(begin, end - begin) + "/" + program).c_str(), X_OK) == 0) return true;
  return false;
}

/// What would otherwise show as a server that ends at once.
result<void> check_zookeeper() {
  if (!is_in_path("java"))
    return error{error_code::not_found, "no java in PATH; on Debian it is in the package default-jre-headless"};
  const char* jar = "/usr/share/java/zookeeper.jar";
  if (!std::getenv("FLOCK_ZOOKEEPER_CLASSPATH") && !fs::exists(jar))
    return error{error_code::not_found, std::string("no ") + jar +
                                            "; on Debian it is in the package zookeeper, elsewhere set "
                                            "FLOCK_ZOOKEEPER_CLASSPATH"};
  return {};
}

}  // namespace

result<testing::child> start_role(std::string_view name, std::vector<std::string> arguments, const std::string& log) {
  std::vector<std::string> command{"/proc/self/exe", "--child", std::string(name)};
  command.insert(command.end(), std::make_move_iterator(arguments.begin()), std::make_move_iterator(arguments.end()));
  return testing::child::start({.command = std::move(command), .environment = {}, .log = log});
}

result<stage> stage::set_up(const settings& with, int heap_mib) {
  if (auto good = check_zookeeper(); !good) return good.error();
  auto folder = make_folder_in(with.folder);
  if (!folder) return folder.error();
  stage out;
  out.folder_ = *std::move(folder);
  if (!with.plain) {
    auto authority = local_authority::make();
    if (!authority) return authority.error();
    out.authority_ = *std::move(authority);
  }
  auto server = testing::zookeeper_server::start({.folder = out.folder_ + "/zookeeper",
                                                  .ensemble = testing::zookeeper_server::pick_ports(1),
                                                  .heap_mib = heap_mib});
  if (!server) return server.error();
  out.server_ = std::make_unique<testing::zookeeper_server>(*std::move(server));
  if (auto serves = out.server_->wait_until_serving(patience_for_zookeeper); !serves) return serves.error();
  return out;
}

stage::~stage() {
  server_.reset();
  std::error_code ignored;
  if (!folder_.empty()) fs::remove_all(folder_, ignored);
}

std::string stage::registry() const { return "zk://" + server_->address() + "/flock"; }

result<std::vector<std::string>> stage::node_options(const std::string& id) const {
  const auto dir = folder_ + "/" + id;
  for (const auto& each : {state_dir(id), dir + "/resources.d", dir + "/tls"})
    if (auto made = testing::make_folder(each); !made) return made.error();
  std::vector<std::string> options{"--id",        id,
                                   "--registry",  registry(),
                                   "--listen",    "127.0.0.1:0",
                                   "--state-dir", state_dir(id),
                                   "--resources", dir + "/resources.d",
                                   "--socket",    socket(id),
                                   "--log-level", "error"};
  if (!authority_) return options.emplace_back("--insecure"), options;
  const auto name = node_id::parse(id);
  if (!name) return name.error();
  if (auto issued = authority_->issue(*name, dir + "/tls"); !issued) return issued.error();
  for (const auto* part : {"ca", "cert", "key"}) {
    options.push_back(std::string("--tls-") + part);
    options.push_back(dir + "/tls/" + part + ".pem");
  }
  return options;
}

result<node> stage::start_node(const std::string& id) const {
  auto options = node_options(id);
  return options ? bench::start_node(*options) : result<node>(options.error());
}

result<testing::child> stage::start_node_role(std::string_view name, const std::string& id,
                                              std::vector<std::string> more) const {
  auto options = node_options(id);
  if (!options) return options.error();
  more.insert(more.end(), options->begin(), options->end());
  return start_role(name, std::move(more), log());
}

error stage::with_log(const error& why) const {
  const auto end = testing::end_of_log(log());
  return end.empty() ? why : error{why.code, why.what + "\n" + end};
}

result<node> start_node(const std::vector<std::string>& arguments) {
  auto with = read_config({.arguments = arguments, .environment = {}, .default_file = {}});
  if (!with) return with.error();
  return node::start(*with);
}

int failed(const error& why) {
  std::cerr << "flock-bench: " << why << '\n';
  return 1;
}

}  // namespace flock::bench
