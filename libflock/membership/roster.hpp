#pragma once

#include "libflock/membership/chores.hpp"
#include "libflock/membership/membership.hpp"
#include "libflock/membership/registry_answers.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace flock::internal {

/// What the registry says of other nodes, as far as somebody wants to know it: single ones, all of them, and who
/// publishes an actor. It watches, reads again what changed, and tells what is new. Part of membership.
///
/// Holds: lists are known only when all is wanted; at most max_single_nodes are watched one by one.
class roster : public std::enable_shared_from_this<roster> {
 public:
  roster(registry& tree, std::shared_ptr<mailbox> home, const clock& time, std::uint64_t seed,
         membership::listener& to);

  /// Another session begins: all is read again.
  void begin_anew();
  void allow(bool yes);
  /// The entry at this path, or the list of what is below it, is another one now.
  void entry_changed(const std::string& path);

  // See membership.
  void want_node(const node_id& node);
  bool watches_node(const node_id& node) const;
  void want_all();
  void want_publishers(const actor_name& name);
  void unwant_publishers(const actor_name& name);
  bool all_wanted() const { return all_wanted_; }
  bool lists_known() const { return lists_known_; }

  broken check() const;

 private:
  using finish = chores::finish;
  using read_bucket = std::function<void(const std::string& path, const finish& done)>;
  /// What was read of an entry last.
  struct reading {
    std::int64_t created = 0;
    std::int64_t version = -1;

    explicit reading(const registry_entry& e) : created(e.created), version(e.version) {}
    reading() = default;
    friend bool operator==(const reading&, const reading&) = default;
  };

  template <class T, class F> registry::answer<T> here(F then) {
    return answered_in<T>(home_, weak_from_this(), std::move(then));
  }

  std::map<node_id, reading>& bucket_of(const node_id& node);
  void read_node(const node_id& node, bool watch, const finish& done);
  void node_found(const node_id& node, const registry_entry& entry);
  void node_missing(const node_id& node, bool was_wanted);
  void read_attributes(const node_id& node, bool watch, const finish& done);
  static std::set<node_id> nodes_of(const std::vector<std::string>& elements);
  void put_buckets(const std::string& list, const read_bucket& how);
  void read_node_bucket(const std::string& path, const finish& done);
  void read_attribute_bucket(const std::string& path, const finish& done);
  void read_all_attributes(const std::string& path, reading now, const finish& done);
  void put_attributes_once(const node_id& node);
  void lists_done();

  registry& tree_;
  const std::shared_ptr<mailbox> home_;
  membership::listener& to_;

  std::size_t single_nodes_ = 0;
  bool all_wanted_ = false;
  bool lists_known_ = false;
  std::map<std::string, std::map<node_id, reading>> nodes_;  // by bucket
  std::map<std::string, registry_list> node_buckets_;        // by path, as they were read last in this session
  std::map<node_id, reading> descriptions_;
  std::map<std::string, reading> description_buckets_;  // by path

  chores singles_;  // wanted nodes and publishers; a key is the path that is watched
  chores lists_;    // likewise, and entries that are to be read once
};

}  // namespace flock::internal
