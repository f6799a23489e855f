#pragma once

#include "actors/capabilities.hpp"
#include "actors/resource/convergence.hpp"
#include "actors/resource/declaration.hpp"
#include "actors/resource/resource_work.hpp"
#include "libflock/core/node_core.hpp"
#include "node/chef/chef.hpp"
#include "node/control/control_api.hpp"
#include "node/control/document_routes.hpp"
#include "node/control/event_routes.hpp"
#include "node/control/notification_routes.hpp"
#include "node/machine.hpp"
#include "node/notification_answers.hpp"
#include <flock/config.hpp>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace flock {

/// What makes a node a flockd: its declared resources, the runs over them, and what its control API answers. Its state
/// lives in the node's home mailbox. It knows nothing of processes, files and real time: all that enters over seams,
/// and the simulator runs it as main() does.
class daemon final : private convergence::host {
 public:
  /// What it is put upon, which outlives it.
  struct surroundings {
    node_core& node;
    const clock& time;
    machine& on;
    /// One line for people: level and text.
    std::function<void(std::string_view level, const std::string& text)> log;
    const system_view& system = this_system();
  };

  daemon(surroundings around, config with);
  /// After the node has stopped.
  ~daemon() override;

  /// Publishes what every flockd has and what was read. Once, before the control API is served.
  void start(machine::declared what);

  /// Ends the commands that run, and calls `done` when it is recorded how they ended, so that the next life need not
  /// perform them once more; or when that has taken too long. In the node's home, and not if that stops before.
  void stop(std::function<void()> done);
  /// A command has two seconds between SIGTERM and SIGKILL, and its end has to get to the disk; a flockd has five for
  /// all.
  static constexpr milliseconds stops_within{2500};

  /// Reads the configuration again: roles, attributes, policy, resources, certificates. Nothing changes if any of it is
  /// wrong. From any thread. Errors: as machine::read_again
  void reload(responder done);

  /// Adds all that a flockd answers on its control socket. The API does not outlive the daemon.
  void answer_on(control_api& api);

  // What daemon_routes ask, in the shapes of docs/control_api.md. From any thread; each answers exactly once.
  void status(responder done);
  /// Those of a node, or of this one.
  void resources(std::optional<node_id> of, time_point until, responder done);
  /// A resource of this node was updated by an action. Answers with what it fired, as notify does when all is queued.
  void updated(const resource_name& resource, std::string action, time_point until, responder done);
  /// One run over this node's resources; answers when it has ended. Errors: conflict (one is under way)
  void converge(bool why_run, responder done);
  /// Prometheus text.
  void metrics(std::function<void(std::string)> done);

  /// Of its runs and Chef's. In the node's home.
  broken check() const;

 private:
  // convergence::host
  void perform(const resource_name& what, const std::string& action, const action_context& why,
               responder answer) override;
  bool is_awaited(const resource_name& what) override;
  void send(const wanted_action& what) override;
  void leave(run& cut_off) override;
  void not_notified(const wanted_action& what, const error& why);

  /// The one way of an update, whoever tells of it: says that there was one. \returns what is wanted because of it
  std::vector<wanted_action> was_updated(const resource_name& what, const std::string& action,
                                         const action_context& why);
  std::vector<wanted_action> wanted_after(const resource_name& updated);
  void moves(const notification& n, const receipt& to);

  void post(task job) const { core_.home().post(std::move(job)); }
  void publish(std::string_view name, std::string_view does, actor_host::factory make);
  void declare(std::vector<declaration> all);
  std::shared_ptr<resource_work> publish(const declaration& d);
  void subscribe();
  void resource_states(responder done);
  void delay(const wanted_action& what, const std::optional<std::string>& run, responder done);
  void pay(const debt_journal::left_over& left);
  void not_told(const std::string& resource, const std::string& action, const error& why);
  void when_performed(time_point until, std::function<void()> f);
  value status_now() const;

  node_core& core_;
  const clock& time_;
  machine& machine_;
  const system_view& system_;
  config config_;
  std::function<void(std::string_view, const std::string&)> log_;
  std::stop_source stopping_;

  // In the node's home.
  std::vector<declaration> declared_;
  std::map<resource_name, std::shared_ptr<resource_work>> published_;
  notification_answers notifications_;
  convergence runs_;
  chef chef_;
  node_events events_;
  notification_desk desk_;
  control_document document_;
};

}  // namespace flock
