#include "tools/cluster/machine_limits.hpp"

#include "tests/support/temporary_folder.hpp"
#include "tools/cluster/files.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <optional>
#include <string>

using namespace flock::testing;

namespace {

constexpr std::int64_t mib = 1 << 20;

/// A made-up machine: files where a real one has /proc and /sys.
class made_up_machine {
 public:
  made_up_machine& has(const std::string& path, const std::string& text) {
    const auto at = folder_.path() / path;
    REQUIRE(make_folder(at.parent_path().string()));
    REQUIRE(write_file(at.string(), text));
    return *this;
  }
  std::optional<machine_limits::limit> limit(const std::string& name) const {
    const auto read = machine_limits::read("/nowhere", folder_.path().string());
    for (const auto& each : read.all())
      if (each.name == name) return each;
    return {};
  }

 private:
  temporary_folder folder_;
};

}  // namespace

TEST_CASE("what does not fit is refused with each limit, its value, what is in use and what is needed") {
  const machine_limits limits({{&room::tasks, "kernel.pid_max", 32768, 400},
                               {&room::tasks, "kernel.threads-max", 100'000, 400},
                               {&room::memory, "the machine's memory", 2048 * mib, 1024 * mib}});

  CHECK(limits.allow({.tasks = 32'368, .memory = 1024 * mib}));
  const auto refused = limits.allow({.tasks = 32'369, .memory = 1025 * mib});

  REQUIRE(!refused);
  CHECK(refused.error().code == flock::error_code::refused);
  CHECK(refused.error().what ==
        "32369 processes and threads are needed, but kernel.pid_max is 32768, with 400 in use; "
        "1025 MiB of memory are needed, but the machine's memory is 2048 MiB, with 1024 MiB in use");
}

TEST_CASE("what nobody needs is not refused, however little there is") {
  CHECK(machine_limits({{&room::ports, "net.ipv4.ip_local_port_range", 0, 10}}).allow({.tasks = 1}));
}

TEST_CASE("the kernel's limits are read with what is in use") {
  made_up_machine machine;
  machine.has("proc/loadavg", "0.10 0.20 0.30 2/345 999\n")
      .has("proc/sys/kernel/pid_max", "32768\n")
      .has("proc/sys/kernel/threads-max", "192730\n")
      .has("proc/meminfo", "MemTotal:       2048 kB\nMemFree:         100 kB\nMemAvailable:   1024 kB\n")
      .has("proc/sys/net/ipv4/ip_local_port_range", "32768\t60999\n");

  CHECK(machine.limit("kernel.pid_max")->value == 32768);
  CHECK(machine.limit("kernel.pid_max")->in_use == 345);
  CHECK(machine.limit("kernel.threads-max")->value == 192730);
  CHECK(machine.limit("the machine's memory")->value == 2 * mib);
  CHECK(machine.limit("the machine's memory")->in_use == mib);
  CHECK(machine.limit("net.ipv4.ip_local_port_range")->value == 28232);
}

TEST_CASE("the limits of control groups of version 2 are read, also those of the groups around") {
  made_up_machine machine;
  machine.has("proc/self/cgroup", "0::/flock/bench\n")
      .has("sys/fs/cgroup/flock/bench/pids.max", "max\n")
      .has("sys/fs/cgroup/flock/pids.max", "500\n")
      .has("sys/fs/cgroup/flock/pids.current", "20\n")
      .has("sys/fs/cgroup/flock/bench/memory.max", "1073741824\n")
      .has("sys/fs/cgroup/flock/bench/memory.current", "536870912\n")
      .has("sys/fs/cgroup/flock/bench/memory.stat", "anon 1\nfile 268435456\n");

  CHECK(machine.limit("pids.max of control group /flock")->value == 500);
  CHECK(machine.limit("pids.max of control group /flock")->in_use == 20);
  CHECK(!machine.limit("pids.max of control group /flock/bench"));
  CHECK(machine.limit("memory.max of control group /flock/bench")->value == 1024 * mib);
  CHECK(machine.limit("memory.max of control group /flock/bench")->in_use == 256 * mib);
}

TEST_CASE("the limits of control groups of version 1 are read") {
  made_up_machine machine;
  machine.has("proc/self/cgroup", "7:cpu,cpuacct:/\n5:pids:/docker/1\n4:memory:/\n")
      .has("sys/fs/cgroup/pids/docker/1/pids.max", "100\n")
      .has("sys/fs/cgroup/pids/docker/1/pids.current", "7\n")
      .has("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");

  CHECK(machine.limit("pids.max of control group /docker/1")->value == 100);
  CHECK(machine.limit("pids.max of control group /docker/1")->in_use == 7);
  CHECK(!machine.limit("memory.limit_in_bytes of control group /"));
}

TEST_CASE("this machine has limits for all that is scarce, and room for one process") {
  const auto limits = machine_limits::read("/tmp");

  for (const auto kind : {&room::descriptors, &room::tasks, &room::memory, &room::disk, &room::ports})
    CHECK(std::any_of(limits.all().begin(), limits.all().end(), [&](const auto& l) { return l.of == kind; }));
  CHECK(limits.allow({.descriptors = 1, .tasks = 1, .memory = 1, .disk = 1, .ports = 1}));
}
