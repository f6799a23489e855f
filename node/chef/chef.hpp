#pragma once

#include "actors/resource/joint_action.hpp"
#include "actors/resource/resource_work.hpp"
#include "libflock/core/node_core.hpp"
#include "libflock/words/run.hpp"
#include "libflock/words/subscriptions.hpp"
#include "node/chef/chef_memory.hpp"
#include "node/chef/chef_resources.hpp"
#include "node/chef/chef_runs.hpp"
#include "node/chef/flock_api.hpp"
#include "node/machine.hpp"
#include <flock/config.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flock {

/// The Chef side of a flockd: the runs that connect to it, the resources that they declare, and the runs that it
/// starts. See docs/chef.md. Lives in the node's home mailbox, where all is called unless it says otherwise.
class chef final : private chef_runs::host {
 public:
  using answer = responder;
  using log = std::function<void(std::string_view level, const std::string& text)>;

  /// What it is put upon, which outlives it.
  struct surroundings {
    node_core& node;
    const clock& time;
    machine& on;
    log write;
  };

  /// What it asks of its daemon.
  struct host {
    std::function<void(wanted_action)> send;
    /// The same, answered with a list as POST /v1/notify does.
    std::function<void(wanted_action, answer)> notify;
    /// Nobody here will see how this run ends: sends what it owes in any case, and says what it does not send.
    std::function<void(run&)> leave;
    /// A resource of this node was updated. \returns what is wanted because of that
    std::function<std::vector<wanted_action>(const resource_name&, const std::string& action, const action_context&)>
        was_updated;
    /// The resources of files, which go before those of Chef.
    std::function<bool(const resource_name&)> is_declared;
    /// What Chef subscribes to has changed.
    std::function<void()> subscriptions_changed;
  };

  chef(surroundings around, config with, host of);
  ~chef() override;

  /// Publishes what Chef declared before this flockd was started. Before deliveries are resumed.
  void start();
  /// What waits for a run is performed by the next life, which a run that goes on comes to know.
  void stop();
  /// After the configuration was read again.
  void reload(const config& with);

  const std::vector<subscription>& subscriptions() const { return subscriptions_; }
  std::vector<resource_name> resources() const { return resources_.names(); }
  /// A file declares this resource now, and goes before Chef: whoever calls publishes it. \returns what no run has yet
  std::vector<joint_action> yield(const resource_name& name);
  /// No file declares this resource any more. If Chef does, what waits for it goes on there: to be published, see
  /// below.
  bool take_over(const resource_name& name, resource_work& from);
  /// Those that no file declares any more are Chef's again.
  void files_changed() { resources_.publish_all(); }
  /// As convergence::delay, for the Chef run that is under way.
  result<std::string> delay(wanted_action what, const std::optional<std::string>& id);
  value status() const;
  /// Of its parts.
  broken check() const;

  // The control API: see docs/control_api.md. On any thread.

  /// A Chef run begins, with {"why_run","pid","environment","roles","recipes","tags","attributes"}. `first` is called
  /// once, with {"run"}; then `next` with each notification for it: {"notification","id","resource","action","causes"}.
  /// The end of the handle is the end of the run. Errors: conflict (one is under way), bad_argument
  std::shared_ptr<void> begin(value about, answer first, std::function<void(const value&)> next);
  /// What the run under way says next. Errors: not_found (another run, or none, is under way), bad_argument
  enum class run_word : std::uint8_t { resources, updated, notify, performed, end };
  void tell(const std::string& run, run_word word, value body, answer done);

 private:
  // chef_runs::host
  void give(const chef_runs::errand& what) override;
  bool is_locked() override;
  void start_command(chef_runs::reason why) override;
  void wake_at(time_point when) override;

  void command_ended(const result<int>& how, const std::string& output);

  void post(task job) const { core_.home().post(std::move(job)); }

  result<value> heard(run_word word, const value& body);
  result<value> declare(const value& body);
  result<value> updated(const value& body);
  result<value> performed(const value& body);
  void notify(const value& body, answer done);
  void end(bool success, const std::string& why);
  void leave();

  void publish_api();
  void describe();
  action_context reason_of(const value& body) const;
  void save();
  std::optional<chef_memory::content> take_over_file();
  void restore();

  node_core& core_;
  machine& machine_;
  config config_;
  log log_;
  host host_;
  chef_runs runs_;
  chef_memory memory_;

  chef_resources resources_;
  std::vector<subscription> subscriptions_;
  std::optional<node_attributes> about_;  // as Chef tells
  std::optional<run> run_;                // of the run under way: what is delayed to its end
  std::function<void(const value&)> next_;
  bool stopping_ = false;
};

}  // namespace flock
