#pragma once

#include <flock/deferred.hpp>
#include <flock/error.hpp>
#include <flock/value.hpp>

#include <cstdint>
#include <functional>
#include <string>

namespace flock {

/// The Chef runs of this node, for other nodes: FlockOfChefs['bender0'][:flock_api] in a recipe, `flockctl run-chef`.
class flock_api {
 public:
  /// What it asks of its node, which outlives it. The functions are called on any thread, and settle later.
  struct surroundings {
    std::function<void(deferred<bool>)> active;
    std::function<void(deferred<std::int64_t>)> run_chef;
    std::function<void(std::int64_t, deferred<value>)> ended;
    std::function<void(deferred<value>)> last;
    std::function<void(std::string, deferred<value>)> attribute;
  };

  explicit flock_api(surroundings around) : around_(std::move(around)) {}

  deferred<bool> active() { return later<bool>(around_.active); }
  deferred<std::int64_t> run_chef() { return later<std::int64_t>(around_.run_chef); }
  deferred<value> ended(std::int64_t number) {
    deferred<value> answer;
    around_.ended(number, answer);
    return answer;
  }
  deferred<value> last() { return later<value>(around_.last); }
  deferred<value> node(std::string path) {
    deferred<value> answer;
    around_.attribute(std::move(path), answer);
    return answer;
  }

  template <class Api> static void describe(Api& api) {
    api.method("active", &flock_api::active, "whether a Chef run is under way");
    api.method("run_chef", &flock_api::run_chef, "asks for a Chef run; its number, for `ended`");
    api.method("ended", &flock_api::ended, "how the run of that number went, when it has ended");
    api.method("last", &flock_api::last, "how the last run went; null before the first");
    api.method("node", &flock_api::node, "a published attribute of this node by its path, as kernel.release");
  }

 private:
  template <class T> static deferred<T> later(const std::function<void(deferred<T>)>& ask) {
    deferred<T> answer;
    ask(answer);
    return answer;
  }

  surroundings around_;
};

}  // namespace flock
