#pragma once

#include "libflock/core/node_core.hpp"
#include "node/chef/chef_runs.hpp"

#include <cstddef>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace flock {

/// The resources that Chef declares: an actor for each, unless a file declares one of the same name, and how its last
/// action ended. Lives in the node's home mailbox, where all is called.
class chef_resources {
 public:
  using declared = std::map<resource_name, std::vector<std::string>>;  ///< with their actions
  using log = std::function<void(std::string_view level, const std::string& text)>;

  /// What it asks of its owner.
  struct host {
    /// The resources of files, which go before those of Chef.
    std::function<bool(const resource_name&)> is_declared;
    /// Somebody wants an action of one.
    std::function<void(chef_runs::errand, beginning, responder)> perform;
  };

  chef_resources(node_core& core, log l, host of);

  /// These and no others. What was declared before keeps its actor, though with other actions.
  void declare(const declared& next);
  declared all() const;
  /// Those that no file declares.
  std::vector<resource_name> names() const;
  std::size_t size() const { return known_.size(); }
  bool knows(const resource_name& name) const { return known_.contains(name); }
  bool knows(const resource_name& name, const std::string& action) const;
  /// A file declares this resource now, and its actor is that one's.
  void yield(const resource_name& name) { published_.erase(name); }
  /// Publishes those that are not, because a file declared them, and that none declares any more.
  void publish_all();

  /// An action ended in that run. \param why  the error of one that failed; null or empty for none
  void remember(const resource_name& name, const std::string& action, value outcome, value why, const std::string& run);
  /// {"resource","state","actions","action","outcome","at","run","error"}
  value state_of(const resource_name& name) const;

 private:
  struct known {
    std::vector<std::string> actions;
    value last;  // {"action","outcome","at","run","error"}, or null
  };

  void publish(const resource_name& name, const std::vector<std::string>& actions);

  node_core& core_;
  log log_;
  host host_;
  std::map<resource_name, known> known_;
  std::set<resource_name> published_;
};

}  // namespace flock
