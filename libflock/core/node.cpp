#include "libflock/caf/caf_runtime.hpp"
#include "libflock/core/library_versions.hpp"
#include "libflock/core/node_core.hpp"
#include "libflock/seams/memory_registry.hpp"
#include "libflock/seams/memory_storage.hpp"
#include "libflock/seams/no_network.hpp"
#include "libflock/sqlite/sqlite_journal.hpp"
#include "libflock/tls/tls_transport.hpp"
#include "libflock/zookeeper/zookeeper_registry.hpp"
#include <flock/log.hpp>
#include <flock/node.hpp>
#include <flock/standard_output.hpp>
#include <flock/version.hpp>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <cxxabi.h>
#include <future>
#include <iostream>
#include <mutex>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace flock {

namespace {

// An actor that ends its turn, a goodbye that is sent, a session that is closed: each is a matter of milliseconds.
// Together with this, the five seconds that stop() promises hold even when all of them hang.
constexpr milliseconds stop_step{1000};

// How long start() waits for the registry before it calls the node ready without it.
constexpr milliseconds settle_within{900};

result<node_id> id_of(const config& with) {
  if (with.id) return *with.id;
  char host[256] = {};
  if (::gethostname(host, sizeof host - 1) != 0) return error{error_code::io, "cannot read the host name; give an id"};
  auto id = node_id::parse(host);
  if (!id) return id.error().within("the host name cannot be a node id; give one");
  return id;
}

/// An eventfd: raised once, seen by poll().
class signal_flag {
 public:
  signal_flag() : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
  ~signal_flag() { ::close(fd_); }
  signal_flag(const signal_flag&) = delete;
  signal_flag& operator=(const signal_flag&) = delete;

  void raise() const { ::eventfd_write(fd_, 1); }
  void wait() const {
    pollfd poll{fd_, POLLIN, 0};
    while (::poll(&poll, 1, -1) < 0) continue;  // EINTR: the signal that is being waited for, or another
  }
  int fd() const { return fd_; }

 private:
  int fd_;
};

// What the signal handler may touch: the flag of the node that waits.
std::atomic<int> waiting_flag{-1};

void raise_flag(int) {
  const int saved = errno;
  if (const int fd = waiting_flag.load(); fd >= 0) ::eventfd_write(fd, 1);
  errno = saved;
}

}  // namespace

struct node::parts : std::enable_shared_from_this<node::parts> {
  explicit parts(const config& c, node_id id)
      : with(c),
        log(system_clock(), id.str(), log_level_from(c.log_level).value_or(log_level::info)),
        threads(internal::make_caf_runtime(system_clock())),
        view(std::shared_ptr<parts>(std::shared_ptr<void>(), this), false) {}
  ~parts() { stop(); }

  using log_line = std::function<void(std::string_view level, const std::string& text)>;

  result<void> start(const node_id& id);
  void stop();
  result<void> open_storage(const incarnation& life, const log_line& write);
  result<void> make_network(const hello& self, const log_line& write);
  void make_registry(const log_line& write);

  config with;
  logger log;
  std::unique_ptr<runtime> threads;
  std::unique_ptr<transport> network;
  std::unique_ptr<registry> tree;
  std::unique_ptr<storage> disk;
  std::shared_ptr<node_core> core;
  node view;  // does not own these parts
  signal_flag ended;
  std::once_flag stopped;
};

result<void> node::parts::start(const node_id& id) {
  const auto life = incarnation::random();
  const auto troubles = std::make_shared<trouble_log>();
  const auto write = [this, troubles](std::string_view level, const std::string& text) {
    troubles->add(level, system_clock().wall(), text);
    log(level, text);
  };
  if (auto opened = open_storage(life, write); !opened) return opened;
  hello self{with.registry.path, id, life, std::string(version()), with.advertise, with.about.environment, disk->id()};
  if (auto made = make_network(self, write); !made) return made;
  make_registry(write);

  // The core keeps its own troubles itself.
  const auto plain = [this](std::string_view level, const std::string& text) { log(level, text); };
  node_core::options core_options{std::move(self),       with.advertise, with.about, with.call_timeout,
                                  with.notification_ttl, plain,          troubles};
  core = node_core::make({*threads, *network, system_clock(), *tree, *disk}, std::move(core_options));
  if (auto bound = core->start(); !bound) return bound.error();

  std::promise<result<void>> settled;
  core->when_settled(core->now() + settle_within, [&](result<void> how) { settled.set_value(std::move(how)); });
  return settled.get_future().get();
}

result<void> node::parts::open_storage(const incarnation& life, const log_line& write) {
  if (with.state_dir.empty()) {
    disk = std::make_unique<memory_storage>(life.str());
    return {};
  }
  internal::sqlite_journal_options options;
  options.folder = with.state_dir;
  options.threads = threads.get();
  options.log = write;
  auto journal = internal::open_sqlite_journal(std::move(options));
  if (!journal) return journal.error().within("state-dir");
  disk = *std::move(journal);
  return {};
}

result<void> node::parts::make_network(const hello& self, const log_line& write) {
  if (const auto why = with.alone()) {
    write("warning", *why);
    network = std::make_unique<no_network>(*why);
    return {};
  }
  internal::tls_transport_options options;
  options.listen = with.listen;
  if (with.tls()) options.files = internal::tls_files{with.tls_ca, with.tls_cert, with.tls_key};
  options.limits.heartbeat = with.heartbeat;
  options.threads = threads.get();
  options.log = write;
  auto made = internal::make_tls_transport(self, std::move(options));
  if (!made) return made.error();
  network = *std::move(made);
  return {};
}

void node::parts::make_registry(const log_line& write) {
  if (with.registry.in_memory() || with.alone()) {
    tree = std::make_unique<memory_registry>(make_memory_tree(), threads->make_mailbox("registry"));
  } else {
    tree = internal::make_zookeeper_registry(
        system_clock(), {with.registry.servers, with.registry.path, with.registry_auth, with.session_timeout, write});
  }
}

void node::parts::stop() {
  std::call_once(stopped, [this] {
    if (core) {
      auto done = std::make_shared<std::promise<void>>();
      core->stop([done] { done->set_value(); });
      done->get_future().wait_for(stop_step);
    }
    if (network) network->stop();
    if (tree) tree->stop();
    if (disk) disk->stop();
    threads->stop(system_clock().now() + stop_step);
    ended.raise();
  });
}

node::node(std::shared_ptr<parts> p, bool owns) : parts_(std::move(p)), owns_(owns) {}
node::node(node&& other) noexcept = default;

node& node::operator=(node&& other) noexcept {
  std::swap(parts_, other.parts_);
  std::swap(owns_, other.owns_);
  return *this;
}

node::~node() {
  if (parts_ && owns_) parts_->stop();
}

result<node> node::start(const config& with, deliveries when) {
  auto id = id_of(with);
  if (!id) return id.error();
  auto p = std::make_shared<parts>(with, *id);
  if (auto started = p->start(*id); !started) return started.error();
  node out(std::move(p), true);
  if (when == deliveries::at_once) out.resume();
  return out;
}

result<void> node::check(const config& with) {
  if (with.state_dir.empty()) return {};
  auto usable = internal::check_sqlite_journal(with.state_dir);
  return usable ? usable : usable.error().within("state-dir");
}

node node::start(int argc, char** argv) {
  config_sources from;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--help" || argument == "-h") {
      std::cout << "Usage: " << argv[0] << " [option...]\n\n" << config_help();
      std::exit(end_of_output(argv[0], 0));
    }
    if (argument == "--version") {
      std::cout << "Flock " << version() << '\n';
      std::exit(end_of_output(argv[0], 0));
    }
    from.arguments.emplace_back(argument);
  }
  from.environment = environment_variables();
  auto with = read_config(from);
  auto fail = [&](const error& why, int code) {
    std::cerr << argv[0] << ": " << why.what << '\n';
    std::exit(code);
  };
  if (!with) fail(with.error(), 2);
  auto started = start(*with);
  if (!started) fail(started.error(), 1);
  return *std::move(started);
}

void node::resume() { parts_->core->resume(); }

const node_id& node::id() const { return parts_->core->id(); }
std::string node::address() const { return parts_->core->address(); }
node_core& node::core() const { return *parts_->core; }
std::shared_ptr<caller> node::as_caller() const { return {parts_->shared_from_this(), parts_->core.get()}; }
node& node::lasting() const { return parts_->view; }

std::string node::type_name(const char* mangled) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> plain(abi::__cxa_demangle(mangled, nullptr, nullptr, &status),
                                                     std::free);
  return status == 0 ? plain.get() : mangled;
}

result<flock::address> node::publish_object(std::string name, std::string type, factory make) {
  auto parsed = actor_name::parse(name);
  if (!parsed) return parsed.error();
  return parts_->core->publish(*parsed, std::move(type), std::move(make));
}

void node::unpublish(const std::string& name) {
  if (auto parsed = actor_name::parse(name)) parts_->core->unpublish(*parsed);
}

result<flock::address> node::find_address(const std::string& where, milliseconds at_most) {
  if (current_mailbox()) return error{error_code::refused, "find() would block an actor's turn"};
  auto what = flock::address::parse(where);
  if (!what) return what.error();
  auto found = std::make_shared<std::promise<result<flock::address>>>();
  auto& core = *parts_->core;
  core.find(*what, core.now() + at_most, [found](result<flock::address> a) { found->set_value(std::move(a)); });
  return found->get_future().get();
}

result<std::vector<flock::address>> node::find_addresses(const std::string& actor) {
  if (current_mailbox()) return error{error_code::refused, "find_all() would block an actor's turn"};
  auto name = actor_name::parse(actor);
  if (!name) return name.error();
  using all = result<std::vector<flock::address>>;
  auto found = std::make_shared<std::promise<all>>();
  auto& core = *parts_->core;
  core.find_all(*name, core.now() + core.call_timeout(), [found](all a) { found->set_value(std::move(a)); });
  return found->get_future().get();
}

result<value> node::call(const std::string& where, const std::string& method, value::list arguments) {
  auto what = flock::address::parse(where);
  if (!what) return what.error();
  auto& core = *parts_->core;
  return core.call(*what, method, std::move(arguments), core.now() + core.call_timeout());
}

std::vector<node_info> node::peers() const {
  auto all = std::make_shared<std::promise<std::vector<node_info>>>();
  auto& core = *parts_->core;
  core.home().post([&core, all] {
    std::vector<node_info> out;
    for (const auto& [id, peer] : core.peers())
      if (const auto* known = core.known_nodes().find(id)) out.push_back(*known);
    all->set_value(std::move(out));
  });
  auto future = all->get_future();
  // A node that is stopping destroys the job unrun.
  all.reset();
  try {
    return future.get();
  } catch (const std::future_error&) {
    return {};
  }
}

int node::wait() {
  struct sigaction with {};
  with.sa_handler = raise_flag;
  struct sigaction before_term {};
  struct sigaction before_int {};
  waiting_flag = parts_->ended.fd();
  ::sigaction(SIGTERM, &with, &before_term);
  ::sigaction(SIGINT, &with, &before_int);
  parts_->ended.wait();
  ::sigaction(SIGTERM, &before_term, nullptr);
  ::sigaction(SIGINT, &before_int, nullptr);
  waiting_flag = -1;
  stop();
  return 0;
}

void node::stop() { parts_->stop(); }

result<void> node::reload_certificates() { return parts_->network->reload(); }

std::map<std::string, std::string> library_versions() {
  return {{"Flock", std::string(version())},
          {"CAF", internal::caf_version()},
          {"OpenSSL", internal::openssl_version()},
          {"SQLite", internal::sqlite_version()},
          {"ZooKeeper", internal::zookeeper_version()}};
}

}  // namespace flock
