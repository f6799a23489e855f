#include "tests/bench/earlier_run.hpp"
#include "tests/bench/workloads.hpp"
#include <flock/version.hpp>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <iostream>
#include <sched.h>
#include <string>
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

void print(const request& r, const earlier_run& before, measurement m) {
  if (r.cpu) m.parameters.emplace("cpu", *r.cpu);
  std::cout << to_json(before.compared(m.to_value())) << std::endl;
}

int run(const request& r) {
  if (r.cpu)
    if (auto pinned = run_on(*r.cpu); !pinned) return complain(pinned.error(), usage);
  const auto before = r.compare.empty() ? earlier_run() : earlier_run::read(r.compare);
  if (!before) return complain(before.error(), usage);
  int status = done;
  for (const auto* w : r.workloads) {
    const auto ran = w->run(r.with.at(w->name), [&](const measurement& m) { print(r, *before, m); });
    if (!ran) status = complain(ran.error().within(w->name), a_workload_failed);
  }
  return std::cout.good() ? status : complain({error_code::io, "cannot write to stdout"}, a_workload_failed);
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (!words.empty() && words.front() == "--child") return play(words);
  const auto asked = parse_request(words, workloads());
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
