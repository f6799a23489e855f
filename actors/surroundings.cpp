#include "actors/surroundings.hpp"

#include <filesystem>
#include <utility>

namespace flock {

surroundings surroundings_on(node_core& core, const clock& time, const system_view& system) {
  auto about = [&core] {
    deferred<node_info> later;
    core.home().post([&core, later] {
      later.settle(node_info{.id = core.id(),
                             .life = {core.life(), core.address(), core.version(), core.started()},
                             .since = core.started(),
                             .about = core.about()});
    });
    return later;
  };
  auto notify = [&core](wanted_action what, notifier::all_sent done) {
    core.home().post([&core, what = std::move(what), done = std::move(done)] { core.notify(what, done); });
  };
  auto add_event = [&core](std::string type, value::map members) {
    core.home().post([&core, type = std::move(type), members = std::move(members)] { core.add_event(type, members); });
  };
  return {core.id(),
          time,
          core.threads(),
          core.tree(),
          system,
          std::filesystem::path(core.journal().stats().path).parent_path(),
          {std::shared_ptr<void>(), &core},  // which has the actors, and must not be kept by them
          std::move(about),
          std::move(notify),
          std::move(add_event)};
}

}  // namespace flock
