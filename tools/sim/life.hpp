#pragma once

#include "actors/resource/declaration.hpp"
#include "libflock/core/node_core.hpp"
#include "libflock/seams/memory_registry.hpp"
#include "libflock/seams/transport.hpp"
#include "libflock/words/subscriptions.hpp"
#include "node/daemon.hpp"
#include "node/machine.hpp"
#include "tools/sim/control_socket.hpp"
#include "tools/sim/disk.hpp"
#include "tools/sim/history.hpp"
#include "tools/sim/process.hpp"
#include "tools/sim/resources.hpp"
#include "tools/sim/world.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace flock::simulator {

/// What stands in the files of a machine; it may change between two readings.
struct node_description {
  node_id id;
  std::string address;
  std::string environment;
  std::vector<declaration> resources;
  std::vector<subscription> chef_subscribes;  ///< what each Chef run says
  bool has_chef_command = false;

  /// Of files and of Chef.
  std::vector<subscription> subscriptions() const;
};

/// What a machine gives to each life of its node.
struct surroundings {
  world& in;
  disk& storage;
  const clock& time;
  const node_description& files;
  std::function<void()> acts;                          ///< an action has begun: the machine may crash now
  std::function<intent(const notification&)> meaning;  ///< what will become of it, if it is done
  std::function<bool()> is_chef_running;
  std::function<void(flock::machine::chef_ended)> start_chef;
  std::function<void()> hang_up;  ///< the control socket is closed: connections with it end
};

/// One life of a node, from the start of its process to its end: a real flockd, put together over simulated seams as
/// its main() does it, and the users of its control socket.
class life final : private flock::machine, private onlooker {
 public:
  life(surroundings around, life_id who);
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
  /// What this turn may have touched: its node's own, all of it; those of others, what is safe for threads.
  broken check(const mailbox& turn) const;
  /// All of it.
  broken check() const;
  void stall(milliseconds by);
  time_point stalled_until() const { return stalled_until_; }

  /// Null while there is none.
  control_socket* control() { return socket_ && !crashed_ ? &*socket_ : nullptr; }

  // What users do. Those who speak to the control socket do nothing while there is none.

  void notify(const node_id& to, const resource_name& what, const std::string& action);
  void call(const node_id& to, const std::string& method, milliseconds within);
  void monitor(const node_id& to);
  /// Cancels one of the notifications that are still queued.
  void cancel_some();
  /// "That resource was updated."
  void updated(const resource_name& what);
  void converge(bool why_run);
  /// Wants something at the end of the run under way, if there is one.
  void delay(const node_id& to);
  void reload();
  /// Asks a node for a Chef run, and waits for its end.
  void run_chef(const node_id& on);

  /// A run that goes on owes this at its end.
  void owes(const wanted_action& what, const std::string& wish, const std::string& updated = {});
  /// What others wish to happen when this is updated.
  std::vector<wanted_action> wished_after(const resource_name& updated) const;
  /// A run has been told of an update in its own name: what others wish of it is owed.
  /// \param wished  what they wished before it was told; who changed his mind meanwhile may be told or not
  void owes_subscribers(const resource_name& updated, const std::string& run, const std::vector<wanted_action>& wished);

  /// The actor that users call.
  static const actor_name& counter_name();

 private:
  class counter;

  // flock::machine
  result<reading> read_again() override;
  std::optional<std::string> chef_file(const config&) override { return std::nullopt; }
  void forget_chef_file(const config&) override {}
  bool is_chef_locked(const config&) override { return around_.is_chef_running(); }
  void start_chef(const config&, chef_runs::reason, chef_ended ended) override { around_.start_chef(ended); }

  // onlooker
  void begins(const resource_name& what, std::string_view action, const attempt& how) override;
  bool is_done(const attempt& how) override;
  void ends(const resource_name& what, std::string_view action, const attempt& how) override;

  performer itself() const;
  /// An update owes what the declaration and others wish. \param because  of this run or notification
  void owes_all(const resource_name& updated, const std::string& because);
  reading read();
  void serve();
  /// A user asks something, and waits for the answer.
  /// \param until  nothing: for as long as it takes
  void ask(const std::string& what, const std::string& path, const value& body, std::optional<milliseconds> within,
           control_socket::told told);
  void accept(const control_socket::reply& about);
  void progressed(const notification_record& r);
  void happened(const event& e);

  surroundings around_;
  node_id id_;
  life_id who_;
  process threads_;
  std::unique_ptr<transport> network_;
  std::unique_ptr<memory_registry> registry_;
  std::vector<declaration> declared_;  // as it was read last
  std::shared_ptr<node_core> core_;
  std::optional<daemon> daemon_;
  std::optional<control_socket> socket_;
  std::shared_ptr<mailbox> users_;
  std::shared_ptr<void> watching_;
  bool crashed_ = false;
  int delayed_ = 0;
  time_point stalled_until_{};
};

}  // namespace flock::simulator
