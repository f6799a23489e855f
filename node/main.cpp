#include "node/control/control_server.hpp"
#include "node/daemon.hpp"
#include "node/readiness.hpp"
#include "node/this_machine.hpp"
#include <flock/config.hpp>
#include <flock/log.hpp>
#include <flock/node.hpp>
#include <flock/standard_output.hpp>
#include <flock/version.hpp>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <iostream>
#include <malloc.h>
#include <memory>
#include <optional>
#include <pthread.h>
#include <unistd.h>

namespace {

constexpr int usage = 2;
constexpr auto default_file = "/etc/flock/flockd.conf";
constexpr auto default_state_dir = "/var/lib/flock";

// However long a stop may take by itself, the manager and the next start are waiting.
constexpr unsigned stop_within_seconds = 5;

int fail(const flock::error& why, int code) {
  std::cerr << "flockd: " << why.what << '\n';
  return code;
}

/// The signals that end or change the daemon, taken by main() alone: blocked before any thread starts, inherited by
/// all.
sigset_t block_signals() {
  sigset_t ours;
  sigemptyset(&ours);
  for (const int s : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&ours, s);
  pthread_sigmask(SIG_BLOCK, &ours, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  return ours;
}

/// \returns what --help and --version print, if they were given
std::optional<int> asked_for_words(const std::vector<std::string>& arguments) {
  for (const auto& a : arguments) {
    if (a == "--help" || a == "-h") {
      std::cout << "Usage: flockd [option...]\nA node of a flock; see flockd(8).\n\n" << flock::config_help();
      return flock::end_of_output("flockd", 0);
    }
    if (a == "--version") {
      std::cout << "flockd " << flock::version() << '\n';
      return flock::end_of_output("flockd", 0);
    }
  }
  return {};
}

int check(const flock::machine::reading& read) {
  const auto& with = read.with;
  if (auto usable = flock::node::check(with); !usable) return fail(usable.error(), usage);
  if (const auto why = with.alone()) std::cerr << "flockd: warning: " << *why << '\n';
  std::cout << "flockd: " << (with.file.empty() ? "configuration" : with.file) << " is well; "
            << read.what.resources.size() << " resources\n";
  return flock::end_of_output("flockd", 0);
}

/// The C library would give nearly each of the dozen threads an arena of its own, with what it had once needed in it.
/// Two are enough for threads that mostly wait, and are 0.2 MB less at a node that knows 300 others.
void share_memory_between_threads() { ::mallopt(M_ARENA_MAX, 2); }

/// Waits for one of the signals. Meanwhile what the allocator keeps and nobody uses goes back to the system, again and
/// again: a flock that starts at once, or a notification to all of it, needs megabytes for a moment.
int next_signal(const sigset_t& signals) {
  constexpr timespec between_trims{10, 0};
  int signal = 0;
  while ((signal = sigtimedwait(&signals, nullptr, &between_trims)) < 0) malloc_trim(0);
  return signal;
}

/// Returns when the daemon has stopped, or does not within its time.
void stop(flock::daemon& d) {
  auto stopped = std::make_shared<std::promise<void>>();
  auto done = stopped->get_future();
  d.stop([stopped] { stopped->set_value(); });
  done.wait_for(flock::daemon::stops_within);
}

/// Until SIGTERM or SIGINT.
void serve(const sigset_t& signals, flock::daemon& d, const flock::logger& log) {
  while (next_signal(signals) == SIGHUP) {
    flock::notify_service_manager("RELOADING=1");
    d.reload([&log](flock::result<flock::value> read) {
      if (!read) log("error", "reload: " + read.error().what + "; nothing was changed");
      flock::notify_service_manager("READY=1");
    });
  }
}

}  // namespace

int main(int argc, char** argv) {
  flock::config_sources from{{argv + 1, argv + argc}, flock::environment_variables(), default_file, default_state_dir};
  if (auto code = asked_for_words(from.arguments)) return *code;
  auto read = flock::read_files(from);
  if (!read) return fail(read.error(), usage);
  const auto& with = read->with;
  if (with.check_config) return check(*read);

  const auto signals = block_signals();
  share_memory_between_threads();
  // Before there are threads: commands of resources that call flockctl mean this flockd.
  ::setenv("FLOCK_SOCKET", std::filesystem::absolute(with.socket).c_str(), 1);
  auto node = flock::node::start(with, flock::node::deliveries::held);
  if (!node) return fail(node.error(), 1);
  const flock::logger log(flock::system_clock(), node->id().str(),
                          flock::log_level_from(with.log_level).value_or(flock::log_level::info));
  const auto write = [&log](std::string_view level, const std::string& text) { log(level, text); };

  auto& core = node->core();
  flock::this_machine here(from, core.threads(), [&node, tls = with.tls()] {
    return tls ? node->reload_certificates() : flock::result<void>();
  });
  flock::daemon d({core, flock::system_clock(), here, write}, with);
  d.start(std::move(read->what));
  flock::control_api api(flock::system_clock());
  d.answer_on(api);
  flock::control_server_options options;
  options.socket = with.socket;
  options.log = write;
  auto server = flock::control_server::start(options, api);
  if (!server) return node->stop(), fail(server.error().within("socket"), 1);

  log("info", with.alone() ? "ready, alone" : "ready at " + node->address() + ", registry " + with.registry.str());
  flock::notify_service_manager("READY=1");
  serve(signals, d, log);

  flock::notify_service_manager("STOPPING=1");
  log("info", "stopping");
  ::alarm(stop_within_seconds);
  stop(d);
  server->reset();
  node->stop();
  log("info", "stopped");
  return 0;
}
