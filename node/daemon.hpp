#pragma once

#include "actors/resource/convergence.hpp"
#include "actors/resource/declaration.hpp"
#include "libflock/core/node_core.hpp"
#include "node/chef/chef.hpp"
#include "node/control/control_backend.hpp"
#include "node/machine.hpp"
#include "node/notification_answers.hpp"
#include <flock/config.hpp>

#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace flock {

/// What makes a node a flockd: its declared resources, the runs over them, and the answers of the control API. Its
/// state lives in the node's home mailbox. It knows nothing of processes, files and real time: all that enters over
/// seams, and the simulator runs it as main() does.
class daemon final : public control_backend, private convergence::host {
 public:
  /// What it is put upon, which outlives it.
  struct surroundings {
    node_core& node;
    const clock& time;
    machine& on;
    /// One line for people: level and text.
    std::function<void(std::string_view level, const std::string& text)> log;
  };

  daemon(surroundings around, config with);
  /// After the node has stopped.
  ~daemon() override;

  /// Publishes what was read. Once, before the control API is served.
  void start(machine::declared what);

  /// Ends the commands that run, and calls `done` when it is recorded how they ended, so that the next life need not
  /// perform them once more; or when that has taken too long. In the node's home, and not if that stops before.
  void stop(std::function<void()> done);
  /// A command has two seconds between SIGTERM and SIGKILL, and its end has to get to the disk; a flockd has five for
  /// all.
  static constexpr milliseconds stops_within{2500};

  /// Reads the configuration again: roles, attributes, policy, resources, certificates. Nothing changes if any of it is
  /// wrong. From any thread. Errors: as machine::read_again
  void reload(answer done) override;

  // control_backend
  void status(answer done) override;
  void nodes(std::optional<location> where, time_point until, answer done) override;
  void node(const node_id& id, time_point until, answer done) override;
  void ping(const node_id& id, time_point until, answer done) override;
  void actors(std::optional<node_id> of, time_point until, answer done) override;
  void resources(std::optional<node_id> of, time_point until, answer done) override;
  void subscriptions(std::optional<node_id> of, time_point until, answer done) override;
  void call(const address& to, std::string method, value::list arguments, time_point until, answer done) override;
  void notify(wanted_action what, wait_for state, time_point until, answer done) override;
  void delay(wanted_action what, std::optional<std::string> run, answer done) override;
  void updated(const resource_name& resource, std::string action, time_point until, answer done) override;
  void converge(bool why_run, answer done) override;
  void notifications(std::optional<receipt_state> state, std::optional<node_id> of, answer done) override;
  void notification(const std::string& id, answer done) override;
  void await(std::vector<std::string> ids, time_point until, answer done) override;
  void cancel(const std::string& id, time_point until, answer done) override;
  void retry(const std::string& id, time_point until, answer done) override;
  run_handle begin_run(value about, answer first, std::function<void(const value&)> next) override;
  void tell_run(const std::string& run, run_word word, value body, answer done) override;
  void metrics(std::function<void(std::string)> done) override;
  subscription_handle follow_events(std::optional<std::string> since,
                                    std::function<void(result<event_log::page>)> first,
                                    std::function<void(const event&)> next) override;

 private:
  // convergence::host
  void perform(const resource_name& what, const std::string& action, const action_context& why,
               responder answer) override;
  std::vector<wanted_action> wanted_after(const resource_name& updated) override;
  void send(const wanted_action& what) override;
  void not_notified(const wanted_action& what, const error& why);

  void post(task job) const { core_.home().post(std::move(job)); }
  void declare(std::vector<declaration> all);
  void publish(const std::shared_ptr<const declaration>& d);
  void subscribe();
  void resource_states(answer done);
  void when_performed(time_point until, std::function<void()> f);
  value status_now() const;

  node_core& core_;
  const clock& time_;
  machine& machine_;
  config config_;
  std::function<void(std::string_view, const std::string&)> log_;
  std::stop_source stopping_;

  // In the node's home.
  std::vector<declaration> declared_;
  std::map<resource_name, std::shared_ptr<const declaration>> published_;
  notification_answers notifications_;
  convergence runs_;
  chef chef_;
};

}  // namespace flock
