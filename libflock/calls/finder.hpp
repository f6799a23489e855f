#pragma once

#include "libflock/membership/directory.hpp"
#include "libflock/membership/membership.hpp"
#include "libflock/values/invariant.hpp"
#include <flock/clock.hpp>
#include <flock/error.hpp>
#include <flock/name.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace flock {

/// Finds actors by name, and waits for those that are not there yet. An actor on a named node is asked for there; one
/// on any node is looked up in the registry. Lives in one mailbox.
///
/// Holds, at the end of each call: each search looks for one or for all, and only one that names its node asks there;
/// who publishes is kept only of what a search without a node looks for.
class finder {
 public:
  /// What it asks of its node.
  struct host {
    /// Asks a node, this one included, to answer as soon as it has the actor, or by the deadline that it has not.
    std::function<void(const node_id&, const actor_name&, time_point until, std::function<void(result<bool>)>)> await;
    /// Runs a job in this mailbox at a time.
    std::function<void(time_point, std::function<void()>)> at;
    std::function<bool(const actor_name&)> is_here;
  };

  using found = std::function<void(result<address>)>;
  using found_all = std::function<void(result<std::vector<address>>)>;

  finder(node_id self, const clock& time, const directory& nodes, membership& registry, host of);

  /// Answers once. With a node: that actor there. Without: this node's own, else one on a living node.
  /// Errors: not_found (not there by then), unreachable (no way to its node by then)
  void find(const address& what, time_point until, found done);

  /// All living nodes that publish the name now.
  void find_all(const actor_name& name, time_point until, found_all done);

  // What happened.
  void publishers(const actor_name& name, const std::set<node_id>& nodes);
  /// It appeared, came back, or has another life.
  void node_changed(const node_id& id);

  void close();

  broken check() const;

 private:
  struct search {
    address what;
    time_point until;
    found done;
    found_all all;
    bool asking = false;
    std::optional<error> last;
  };

  void attempt(std::uint64_t id);
  void finish(std::uint64_t id, result<address> answer);
  std::vector<address> living(const actor_name& name) const;
  bool is_looked_for(const actor_name& name) const;
  void stop_watching(const actor_name& name);

  node_id self_;
  const clock& time_;
  const directory& nodes_;
  membership& registry_;
  host host_;
  std::uint64_t next_ = 1;
  std::map<std::uint64_t, search> searches_;
  std::map<actor_name, std::set<node_id>> publishers_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // answers may come after the end of this finder
};

}  // namespace flock
