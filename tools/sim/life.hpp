#pragma once

#include "actors/resource/convergence.hpp"
#include "actors/resource/declaration.hpp"
#include "libflock/core/node_core.hpp"
#include "libflock/seams/memory_registry.hpp"
#include "libflock/seams/transport.hpp"
#include "libflock/words/subscriptions.hpp"
#include "tools/sim/disk.hpp"
#include "tools/sim/history.hpp"
#include "tools/sim/process.hpp"
#include "tools/sim/world.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace flock::simulator {

/// What a machine gives to each life of its node.
struct surroundings {
  world& in;
  disk& storage;
  const clock& time;
  std::function<void()> acts;                          ///< an action has begun: the machine may crash now
  std::function<intent(const notification&)> meaning;  ///< what will become of it, if it is done
};

/// What a node is and declares; the same in all its lives, but for the address.
struct node_description {
  node_id id;
  std::string address;
  std::string environment;
  std::vector<declaration> resources;
  std::vector<subscription> subscriptions;
};

/// One life of a node, from the start of its process to its end: a real node with real resources, put together as
/// flockd does, and the users of its control socket.
class life final : private convergence::host {
 public:
  life(surroundings around, node_description what, life_id who);
  ~life() override;

  /// Errors: of node_core::start()
  result<void> start(milliseconds ttl, milliseconds until_resumed);

  /// The process is gone at this very moment, also in the middle of a turn of its own: nothing leaves it any more. What
  /// is left of it goes with this object, outside of its turns.
  void crash(bool last_words_arrive);
  bool has_crashed() const { return crashed_; }
  /// Ends it in an orderly way. \param done  called when that has happened, outside of its turns
  void stop(std::function<void()> done);
  /// Stops what its node used, after stop().
  void end();

  const life_id& who() const { return who_; }
  node_core& core() { return *core_; }
  memory_registry& registry() { return *registry_; }
  /// What outlives a killed process at the registry's servers: its session, for as long as that lasts.
  std::unique_ptr<memory_registry> release_registry() { return std::move(registry_); }
  void stall(milliseconds by);
  time_point stalled_until() const { return stalled_until_; }

  // What users do.

  void notify(const node_id& to, const resource_name& what, const std::string& action);
  void call(const node_id& to, const std::string& method, milliseconds within);
  void monitor(const node_id& to);
  /// Cancels one of the notifications that are still queued.
  void cancel_some();
  /// "That resource was updated."
  void updated(const resource_name& what);
  void subscribe(std::vector<subscription> all);

  /// The actor that users call.
  static const actor_name& counter_name();

 private:
  class counter;
  class observed_resource;

  // convergence::host
  void perform(const resource_name&, const std::string&, const action_context&, responder) override {}
  std::vector<wanted_action> wanted_after(const resource_name& updated) override;
  void send(const wanted_action& what) override;

  void publish(const declaration& d);
  void progressed(const notification_record& r);
  void happened(const event& e);

  surroundings around_;
  node_description what_;
  life_id who_;
  process threads_;
  std::unique_ptr<transport> network_;
  std::unique_ptr<memory_registry> registry_;
  std::shared_ptr<node_core> core_;
  convergence runs_;
  std::shared_ptr<mailbox> users_;
  std::shared_ptr<void> watching_;
  bool crashed_ = false;
  time_point stalled_until_{};
};

}  // namespace flock::simulator
