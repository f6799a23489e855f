#include "tools/bench/earlier_run.hpp"
#include "tools/bench/workloads.hpp"
#include <flock/standard_output.hpp>
#include <flock/version.hpp>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <pthread.h>
#include <sched.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <tuple>
#include <unistd.h>
#include <vector>

namespace {

using namespace flock::bench;
using flock::error;
using flock::error_code;

enum exit_status { done = 0, a_workload_failed = 1, usage = 2 };

int complain(const error& why, int status) {
  std::cerr << "flock-bench: " << why.what << '\n';
  return status;
}

int play(const std::vector<std::string>& words) {
  const auto at = std::find_if(roles().begin(), roles().end(),
                               [&](const role& r) { return words.size() > 1 && r.name == words[1]; });
  if (at == roles().end()) return complain({error_code::bad_argument, "no such role"}, usage);
  return at->play({words.begin() + 2, words.end()});
}

flock::result<void> run_on(int cpu) {
  cpu_set_t only;
  CPU_ZERO(&only);
  CPU_SET(static_cast<std::size_t>(cpu), &only);
  if (::sched_setaffinity(0, sizeof only, &only) == 0) return {};
  return error{error_code::bad_argument, "--pin " + std::to_string(cpu) + ": " + std::strerror(errno)};
}

/// Everything of this run, gone when it ends, also when it is interrupted. The processes end with this one anyway.
class run_folder {
 public:
  /// Before there are other threads. Errors: io
  static flock::result<std::string> make(const std::string& in) {
    auto path = in + "/flock-bench-XXXXXX";
    if (::mkdtemp(path.data()) == nullptr) return error{error_code::io, "--dir " + in + ": " + std::strerror(errno)};
    return path;
  }

  explicit run_folder(std::string path) : path_(std::move(path)) {
    sigset_t ours;
    sigemptyset(&ours);
    for (const int s : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&ours, s);
    ::pthread_sigmask(SIG_BLOCK, &ours, nullptr);
    std::thread([ours, path = path_] {
      int signal = 0;
      ::sigwait(&ours, &signal);
      remove_afterwards(path);
      ::_exit(128 + signal);
    }).detach();
  }
  run_folder(const run_folder&) = delete;
  run_folder& operator=(const run_folder&) = delete;
  ~run_folder() { remove(path_); }

 private:
  static void remove(const std::string& path) {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }

  // By a process that outlives this one, for its other threads and its children write into the folder until they end.
  static void remove_afterwards(const std::string& path) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return;
    const int ours = ends[0], its = ends[1];
    char byte = 0;
    if (const auto other = ::fork(); other != 0) {
      ::close(its);
      if (other > 0) std::ignore = ::read(ours, &byte, 1);  // it is ready
      return;
    }
    ::close(ours);
    for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::close(fd);  // nobody waits for it
    ::setsid();  // whoever ends this process with its group means the other ones
    std::ignore = ::write(its, &byte, 1);
    while (::read(its, &byte, 1) < 0 && errno == EINTR) continue;  // until this process has ended
    constexpr int tries = 100;
    for (int i = 0; i < tries && std::filesystem::exists(path); ++i) {
      remove(path);
      ::usleep(50'000);
    }
    ::_exit(0);
  }

  const std::string path_;
};

void print(const request& r, const earlier_run& before, measurement m) {
  if (r.cpu) m.parameters.emplace("cpu", *r.cpu);
  std::cout << to_json(before.compared(m.to_value())) << std::endl;
}

int run(request& r) {
  if (r.cpu)
    if (auto pinned = run_on(*r.cpu); !pinned) return complain(pinned.error(), usage);
  const auto before = r.compare.empty() ? earlier_run() : earlier_run::read(r.compare);
  if (!before) return complain(before.error(), usage);
  const auto path = run_folder::make(r.folder);
  if (!path) return complain(path.error(), usage);
  const run_folder folder(*path);
  int status = done;
  for (const auto* w : r.workloads) {
    r.with.at(w->name).folder = *path;
    const auto ran = w->run(r.with.at(w->name), [&](const measurement& m) { print(r, *before, m); });
    if (!ran) status = complain(ran.error().within(w->name), a_workload_failed);
  }
  return status;
}

int answer(const std::vector<std::string>& words) {
  auto asked = parse_request(words, workloads());
  if (!asked) return complain({error_code::bad_argument, asked.error().what + "; see flock-bench --help"}, usage);
  switch (asked->what) {
    case request::kind::help:
      std::cout << help(workloads());
      return done;
    case request::kind::version:
      std::cout << "flock-bench " << flock::version() << '\n';
      return done;
    case request::kind::run:
      break;
  }
  return run(*asked);
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (!words.empty() && words.front() == "--child") return play(words);
  return flock::end_of_output("flock-bench", answer(words));
}
