#pragma once

#include "libflock/membership/chores.hpp"
#include "libflock/membership/membership.hpp"
#include "libflock/membership/registry_answers.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>

namespace flock::internal {

/// A node's own entries: that it is there, what it says of itself, what it publishes. First it looks whether it knows
/// the registry's layout; then its entry is made; and when that stands, all the rest. Part of membership.
///
/// Holds: only who has an id has chores, or stands in the registry.
class registration : public std::enable_shared_from_this<registration> {
 public:
  /// \param changed  called when is_compatible() has changed: let_begin() is to follow
  registration(registry& tree, std::shared_ptr<mailbox> home, const clock& time, std::uint64_t seed,
               membership::listener& to, std::function<void()> changed);

  bool has_id() const { return id_.has_value(); }
  bool is_compatible() const { return is_compatible_; }

  broken check() const;

  void session_changed(session_state now, bool fresh);
  /// Whatever may be done by now is begun.
  void let_begin();
  /// The entry at this path is another one now.
  void entry_changed(const std::string& path);

  // See membership.
  void join(const node_id& id, const node_life& life, const node_attributes& about);
  void take_over(const incarnation& life);
  void describe(const node_attributes& about);
  void publish(const actor_name& name);
  void unpublish(const actor_name& name);

 private:
  using finish = chores::finish;

  template <class T, class F> registry::answer<T> here(F then) {
    return answered_in<T>(home_, weak_from_this(), std::move(then));
  }

  void check_layout(const finish& done);
  void make_layout(const finish& done);
  void make_self(const finish& done);
  void look_at_self(const finish& done);
  void self_stands(const finish& done);
  void replace_self(std::int64_t version, const finish& done);
  void describe_self(const finish& done);
  void tell_attribute_readers(const finish& done);
  std::string published_path(const actor_name& name) const;
  void put_actor(const actor_name& name);
  void make_actor(const std::string& path, const finish& done);
  void check_actor(const std::string& path, const finish& done);
  void put_removal(const actor_name& name);

  registry& tree_;
  const std::shared_ptr<mailbox> home_;
  membership::listener& to_;
  const std::function<void()> changed_;

  bool is_ready_ = false;
  bool is_compatible_ = false;
  bool has_joined_ = false;

  std::optional<node_id> id_;
  node_life life_;
  std::optional<incarnation> over_;  // a life of our id that is said to have ended
  node_attributes about_;
  bool tell_attributes_ = true;  // that the bucket has a change of ours which its readers were not told of
  std::set<actor_name> actors_;

  // Each waits for what those before it found: see let_begin().
  chores layout_;
  chores self_;
  chores published_;  // attributes and actors
};

}  // namespace flock::internal
