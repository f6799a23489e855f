#include "tools/bench/sim.hpp"

#include "libflock/membership/directory.hpp"
#include "libflock/words/location.hpp"
#include "libflock/words/subscriptions.hpp"
#include "tools/bench/statistics.hpp"
#include "tools/bench/stopwatch.hpp"
#include <flock/clock.hpp>

#include <algorithm>
#include <cstddef>
#include <malloc.h>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace flock::bench {

namespace {

// As in a fleet of many sizes: some nodes share a role, most share an environment, few share a rack.
constexpr std::size_t nodes_of_a_role = 50;
constexpr std::size_t nodes_of_a_rack = 20;
constexpr std::size_t environments = 3;

node_id id_of(std::size_t number) { return *node_id::parse("node" + std::to_string(number)); }

node_attributes about(std::size_t number) {
  node_attributes a;
  a.environment = "environment" + std::to_string(number % environments);
  a.roles = {"role" + std::to_string(number / nodes_of_a_role)};
  a.recipes = {"base::default"};
  a.attributes = value::map{{"platform", "debian"}, {"rack", std::to_string(number / nodes_of_a_rack)}};
  return a;
}

/// One number and what it counts, once for each size and repeat.
struct costs {
  double memory = 0;      ///< bytes of a node in the directory
  double listed = 0;      ///< us, to take one more node in and its attributes
  double by_name = 0;     ///< us, to select one node by name
  double by_role = 0;     ///< us, to select those of a role
  double by_query = 0;    ///< us, to select those that a query fits
  double subscribed = 0;  ///< us, to take one node's subscription in
  double matched = 0;     ///< us, to find who wants to hear of an update
};

double bytes_in_use() { return static_cast<double>(::mallinfo2().uordblks); }

/// Microseconds of one of `times` runs.
template <class F> double each(std::size_t times, F what) {
  const stopwatch time;
  for (std::size_t i = 0; i < times; ++i) what(i);
  return time.microseconds() / static_cast<double>(times);
}

/// An optimizer must not find out that nobody looks at the results.
class sink {
 public:
  template <class T> void take(const T& all) { sum_ += all.size(); }
  ~sink() { [[maybe_unused]] volatile std::size_t kept = sum_; }

 private:
  std::size_t sum_ = 0;
};

void measure_directory(std::size_t nodes, std::size_t selections, costs& out) {
  const auto now = system_clock().now();
  const auto wall = system_clock().wall();
  const auto before = bytes_in_use();
  directory all(id_of(0), {});
  all.registry_reachable(true);
  out.listed = each(nodes, [&](std::size_t i) {
    all.listed(id_of(i), {incarnation{1, i}, "192.0.2.1:22222", "0.1.0", wall}, now, wall);
    all.described(id_of(i), about(i));
  });
  out.memory = (bytes_in_use() - before) / static_cast<double>(nodes);

  sink results;
  const auto select = [&](const location& where) {
    if (auto found = all.select(where)) results.take(*found);
  };
  out.by_name = each(selections, [&](std::size_t i) {
    location where;
    where.nodes = {id_of(i * 7919 % nodes)};
    select(where);
  });
  // Each looks at all nodes: a few tell enough.
  const auto few = std::max<std::size_t>(selections / nodes, 5);
  out.by_role = each(few, [&](std::size_t i) {
    location where;
    where.roles = {"role" + std::to_string(i * 7919 % nodes / nodes_of_a_role)};
    select(where);
  });
  out.by_query = each(few, [&](std::size_t i) {
    location where;
    where.query = "rack:" + std::to_string(i * 7919 % nodes / nodes_of_a_rack) + " AND platform:debian";
    select(where);
  });
}

/// Each node wants to hear of one resource, which as many others watch as have its role.
void measure_subscriptions(std::size_t nodes, std::size_t selections, costs& out) {
  const auto watched = [](std::size_t number) {
    return resource_name{"file", "/etc/" + std::to_string(number / nodes_of_a_role)};
  };
  subscription_table table({});
  out.subscribed = each(nodes, [&](std::size_t i) {
    std::vector<wish> wishes{{"wish", watched(i), {"service", "web"}, "reload", timing::delayed}};
    [[maybe_unused]] auto taken = table.replace(id_of(i), std::move(wishes));
  });
  sink results;
  out.matched = each(selections, [&](std::size_t i) { results.take(table.matching(watched(i * 7919 % nodes))); });
}

struct reading {
  const char* measure;
  const char* unit;
  double costs::*of;
};

constexpr reading readings[] = {
    {"memory", "bytes", &costs::memory},         {"listed", "us", &costs::listed},
    {"select_by_name", "us", &costs::by_name},   {"select_by_role", "us", &costs::by_role},
    {"select_by_query", "us", &costs::by_query}, {"subscribed", "us", &costs::subscribed},
    {"matched", "us", &costs::matched},
};

using table = std::map<std::size_t, std::vector<costs>>;  ///< the repeats, by nodes

void report_costs(const report& to, const table& seen) {
  for (const auto& [nodes, repeats] : seen) {
    for (const auto& r : readings) {
      measurement m{"sim", r.measure, r.unit, {{"nodes", nodes}}, {}, {}};
      for (const auto& c : repeats) m.repeats.push_back(c.*r.of);
      to(m);
    }
  }
}

/// From the fewest to the most nodes.
void report_growth(const report& to, const table& seen) {
  if (seen.size() < 2) return;
  const auto& [few, of_few] = *seen.begin();
  const auto& [many, of_many] = *seen.rbegin();
  for (const auto& r : readings) {
    measurement m{"sim", std::string(r.measure) + "_growth", "exponent", {{"nodes", value::list{few, many}}}, {}, {}};
    for (std::size_t i = 0; i < of_few.size(); ++i)
      m.repeats.push_back(
          growth_exponent(static_cast<double>(few), of_few[i].*r.of, static_cast<double>(many), of_many[i].*r.of));
    to(m);
  }
}

result<void> run(const settings& with, const report& to) {
  const auto selections = static_cast<std::size_t>(with.number("selections"));
  table seen;
  for (int repeat = 0; repeat < with.repeats; ++repeat) {
    for (const auto size : with.list("nodes")) {
      const auto nodes = static_cast<std::size_t>(size);
      auto& c = seen[nodes].emplace_back();
      measure_directory(nodes, selections, c);
      measure_subscriptions(nodes, selections, c);
    }
  }
  report_costs(to, seen);
  report_growth(to, seen);
  return {};
}

}  // namespace

workload sim_workload() {
  return {
      "sim",
      "what a node knows of a flock, in memory alone: to take a node in, to select by name, role and query, to take a "
      "subscription in, and to find the 50 who want to hear of an update; and how each grows with the flock",
      {{"nodes", "100,1000,10000,100000", "how many it knows of"}, {"selections", "10000", "how many in a repeat"}},
      run};
}

}  // namespace flock::bench
