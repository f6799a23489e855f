#pragma once

#include "actors/surroundings.hpp"
#include "actors/system_facts.hpp"
#include <flock/deferred.hpp>
#include <flock/error.hpp>
#include <flock/value.hpp>
#include <flock/value_cast.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace flock {

/// What its node is and what it runs on: `flockctl info`, and in recipes FlockOfChefs['bender0'][:info].summary. Sizes
/// are in bytes, uptimes in seconds.
class info {
 public:
  using texts = std::vector<std::string>;

  explicit info(const surroundings& around) : around_(around) {}

  deferred<value> summary() {
    return told([around = around_, here = of_the_machine()](const node_info& me) {
      auto all = here;
      all["id"] = me.id.str();
      all["addresses"] = to_value(addresses_of(me, around));
      all["environment"] = me.about.environment;
      all["roles"] = to_value(me.about.roles);
      all["recipes"] = to_value(me.about.recipes);
      all["tags"] = to_value(me.about.tags);
      all["flockd_uptime"] = age_of(me, around);
      return value(std::move(all));
    });
  }

  std::string id() { return around_.id.str(); }
  deferred<texts> addresses() {
    return told([around = around_](const node_info& me) { return addresses_of(me, around); });
  }
  deferred<std::string> environment() {
    return told([](const node_info& me) { return me.about.environment; });
  }
  deferred<texts> roles() {
    return told([](const node_info& me) { return me.about.roles; });
  }
  deferred<texts> recipes() {
    return told([](const node_info& me) { return me.about.recipes; });
  }
  deferred<texts> tags() {
    return told([](const node_info& me) { return me.about.tags; });
  }
  deferred<std::int64_t> flockd_uptime() {
    return told([around = around_](const node_info& me) { return age_of(me, around); });
  }

  result<std::string> os() { return of_kernel(&system_view::kernel::name); }
  result<std::string> kernel() { return of_kernel(&system_view::kernel::release); }
  result<std::string> architecture() { return of_kernel(&system_view::kernel::architecture); }
  result<std::string> distribution() { return distribution_of(around_.system); }
  result<int> cpus() { return processors_of(around_.system); }
  result<std::vector<double>> load() {
    const auto averages = load_of(around_.system);
    if (!averages) return averages.error();
    return std::vector<double>(averages->begin(), averages->end());
  }
  /// {"total","available"}
  result<value> memory() {
    const auto use = memory_of(around_.system);
    if (!use) return use.error();
    return value(value::map{{"total", use->total}, {"available", use->available}});
  }
  /// {"folder","total","available"}. Errors: not_found (the node keeps its state in memory), io
  result<value> disk() {
    const auto& folder = around_.state_folder;
    if (folder.empty()) return error{error_code::not_found, "this node keeps its state in memory"};
    const auto space = around_.system.disk_of(folder);
    if (!space) return space.error();
    return value(value::map{{"folder", folder}, {"total", space->total}, {"available", space->available}});
  }
  result<std::int64_t> uptime() {
    const auto since = flock::uptime_of(around_.system);
    if (!since) return since.error();
    return std::chrono::duration_cast<std::chrono::seconds>(*since).count();
  }
  std::map<std::string, std::string> versions() { return around_.system.versions(); }

  template <class Api> static void describe(Api& api) {
    api.method("summary", &info::summary, "all of the others, by name; null is what cannot be told")
        .method("id", &info::id, "the node")
        .method("addresses", &info::addresses, "where other nodes reach it, then those of the machine")
        .method("environment", &info::environment, "its environment")
        .method("roles", &info::roles, "its roles")
        .method("recipes", &info::recipes, "its recipes")
        .method("tags", &info::tags, "its tags")
        .method("os", &info::os, "the name of the kernel")
        .method("kernel", &info::kernel, "the release of the kernel")
        .method("architecture", &info::architecture, "of the machine, as the kernel calls it")
        .method("distribution", &info::distribution, "its name and version")
        .method("cpus", &info::cpus, "processors that the kernel runs on")
        .method("load", &info::load, "averages of 1, 5 and 15 minutes")
        .method("memory", &info::memory, "total and available, in bytes")
        .method("disk", &info::disk, "of the state folder: total and available, in bytes")
        .method("uptime", &info::uptime, "seconds since the machine was booted")
        .method("flockd_uptime", &info::flockd_uptime, "seconds since flockd was started")
        .method("versions", &info::versions, "of Flock and of the libraries that it stands on");
  }

 private:
  /// What f says of the node, as only its home knows it.
  template <class F> auto told(F f) -> deferred<decltype(f(std::declval<const node_info&>()))> {
    deferred<decltype(f(std::declval<const node_info&>()))> later;
    around_.about().then([later, f = std::move(f)](const result<node_info>& me) {
      if (me)
        later.settle(f(*me));
      else
        later.settle(me.error());
    });
    return later;
  }

  value::map of_the_machine() {
    return {{"os", or_null(os())},
            {"kernel", or_null(kernel())},
            {"architecture", or_null(architecture())},
            {"distribution", or_null(distribution())},
            {"cpus", or_null(cpus())},
            {"load", or_null(load())},
            {"memory", or_null(memory())},
            {"disk", or_null(disk())},
            {"uptime", or_null(uptime())},
            {"versions", to_value(versions())}};
  }

  template <class T> static value or_null(const result<T>& r) { return r ? to_value(*r) : value(); }

  result<std::string> of_kernel(std::string system_view::kernel::*what) {
    const auto running = around_.system.running();
    return running ? result<std::string>((*running).*what) : running.error();
  }

  static texts addresses_of(const node_info& me, const surroundings& around) {
    auto all = around.system.addresses();
    all.insert(all.begin(), me.life.address);
    return all;
  }

  static std::int64_t age_of(const node_info& me, const surroundings& around) {
    return std::chrono::duration_cast<std::chrono::seconds>(around.time.wall() - me.life.started).count();
  }

  surroundings around_;
};

}  // namespace flock
