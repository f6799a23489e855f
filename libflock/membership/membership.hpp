#pragma once

#include "libflock/seams/registry.hpp"
#include "libflock/seams/runtime.hpp"
#include "libflock/values/invariant.hpp"
#include <flock/error.hpp>
#include <flock/name.hpp>
#include <flock/node_info.hpp>

#include <memory>
#include <set>
#include <string>

namespace flock {

/// This node's part in the registry: keeps registered what this node is and publishes, and reads what it was asked to
/// know. It holds what is wanted, not what was done: after every new session all of it is made and read again, and what
/// fails is tried again while there is a session.
///
/// Lives in one mailbox: its methods are called there, its listener too. The tree is docs/registry_tree.md.
class membership final : private registry::listener {
 public:
  class listener {
   public:
    virtual ~listener() = default;

    virtual void registry_changed(session_state now) = 0;
    /// This node's entry stands: others can find it.
    virtual void joined() = 0;
    /// Another living node has this node's id; tried again until it is gone.
    virtual void id_taken(const node_life& by) = 0;
    /// The registry's layout is newer than this node knows: nothing is registered or read.
    virtual void incompatible(const error& why) = 0;
    virtual void listed(const node_id& id, const node_life& life) = 0;
    /// It is not in the registry: it vanished, or a wanted node was never there.
    virtual void unlisted(const node_id& id) = 0;
    virtual void described(const node_id& id, const node_attributes& about) = 0;
    /// The nodes that publish a wanted actor name, after each change.
    virtual void publishers(const actor_name& name, const std::set<node_id>& nodes) = 0;
    /// Everything that was wanted of the lists of nodes has been read once.
    virtual void lists_read() = 0;
  };

  /// \param tree  started by join(); to be stopped before this goes
  membership(registry& tree, std::shared_ptr<mailbox> home, const clock& time, listener& to);
  ~membership() override;

  /// Starts the registry and registers this node, and again after every lost session. What is published waits for it.
  void join(const node_id& id, const node_life& life, const node_attributes& about);
  /// Removes this node's entry if it is still that life's, which is known to be over, and registers in its place.
  void take_over(const incarnation& life);
  void describe(const node_attributes& about);
  void publish(const actor_name& name);
  void unpublish(const actor_name& name);

  /// Watches one node, known or not yet. Each costs two watches; beyond `max_single_nodes`, all are watched instead.
  void want_node(const node_id& id);
  bool watches_node(const node_id& id) const;
  /// Watches the lists of all nodes and their attributes. At most 2 x (256 + 1) watches, however large the flock.
  void want_all();
  /// Watches who publishes an actor name.
  void want_publishers(const actor_name& name);
  void unwant_publishers(const actor_name& name);

  session_state state() const;
  bool all_wanted() const;
  /// Whether the lists of nodes have been read since they were wanted.
  bool lists_known() const;

  /// Of both its parts, registration and roster.
  broken check() const;

  /// Far more than most nodes deal with, and still as few watches as a registry has for a thousand nodes anyway.
  static constexpr std::size_t max_single_nodes = 1000;

 private:
  // registry::listener: on the registry's thread; only posts.
  void session_changed(session_state now, bool fresh) override;
  void changed(const std::string& path) override;

  struct implementation;
  std::shared_ptr<implementation> self_;
};

}  // namespace flock
