#include "tools/bench/idle.hpp"

#include "tools/bench/daemon.hpp"
#include "tools/bench/process_usage.hpp"
#include "tools/bench/stopwatch.hpp"

#include <array>
#include <cstddef>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace flock::bench {

namespace {

constexpr milliseconds patience{60'000};

/// Starts more flockd until there are so many, and waits until ZooKeeper has all of them.
result<void> start_until(std::size_t nodes, const stage& on, observer& by, std::vector<daemon_process>& all) {
  const auto before = all.size();
  while (all.size() < nodes) {
    auto daemon = daemon_process::start(on, "node" + std::to_string(all.size()));
    if (!daemon) return daemon.error();
    all.push_back(*std::move(daemon));
  }
  for (auto i = before; i < nodes; ++i) {
    if (auto ready = all[i].wait_until_ready(); !ready) return ready;
    if (auto told = by.told("joined", "node" + std::to_string(i), patience); !told) return told.error();
  }
  return {};
}

/// Of one node, the mean of all.
result<process_usage> usage_of_one(std::vector<daemon_process>& all) {
  process_usage sum;
  for (auto& each : all) {
    auto one = process_usage::of(each.process().pid());
    if (!one) return one.error();
    sum.pss += one->pss;
    sum.threads += one->threads;
    sum.descriptors += one->descriptors;
    sum.cpu_us += one->cpu_us;
  }
  const auto n = static_cast<int>(all.size());
  return process_usage{sum.pss / n, 0, sum.threads / n, sum.descriptors / n, sum.cpu_us / n};
}

/// The observer is on the other end of none of this: it has gone before.
result<void> measure(const settings& with, const report& to, std::vector<daemon_process>& all) {
  auto parameters = with.common();
  parameters.emplace("nodes", all.size());
  parameters.emplace("seconds", with.number("seconds"));
  std::array<measurement, 4> each{{{"idle", "pss", "KiB", parameters, {}, {}},
                                   {"idle", "threads", "count", parameters, {}, {}},
                                   {"idle", "descriptors", "count", parameters, {}, {}},
                                   {"idle", "cpu", "%", parameters, {}, {}}}};
  for (int repeat = 0; repeat < with.repeats; ++repeat) {
    auto before = usage_of_one(all);
    if (!before) return before.error();
    const stopwatch time;
    std::this_thread::sleep_for(std::chrono::seconds(with.number("seconds")));
    auto after = usage_of_one(all);
    if (!after) return after.error();
    const auto busy = (after->cpu_us - before->cpu_us) / time.microseconds() * 100;
    const std::array<double, 4> seen{after->pss, static_cast<double>(after->threads),
                                     static_cast<double>(after->descriptors), busy};
    for (std::size_t i = 0; i < each.size(); ++i) each[i].repeats.push_back(seen[i]);
  }
  for (const auto& m : each) to(m);
  return {};
}

result<void> run(const settings& with, const report& to) {
  auto on = stage::set_up(with);
  if (!on) return on.error();
  std::vector<daemon_process> all;
  int observers = 0;
  for (const auto nodes : with.list("nodes")) {
    {
      auto by = observer::start(*on, "observer" + std::to_string(observers++));
      if (!by) return by.error();
      if (auto done = start_until(static_cast<std::size_t>(nodes), *on, **by, all); !done)
        return on->with_log(done.error());
    }
    if (auto done = measure(with, to, all); !done) return on->with_log(done.error());
  }
  return {};
}

}  // namespace

workload idle_workload() {
  return {"idle",
          "what one flockd costs while nothing happens, the mean of all on this machine: private and shared memory "
          "(PSS), threads, descriptors, CPU",
          {{"nodes", "1,50,200", "how many flockd, in growing order, all registered in ZooKeeper"},
           {"seconds", "10", "how long each repeat looks"}},
          run};
}

}  // namespace flock::bench
