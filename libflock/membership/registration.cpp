#include "libflock/membership/registration.hpp"

#include "libflock/membership/registry_layout.hpp"

#include <cassert>
#include <utility>

namespace flock::internal {

using namespace registry_layout;

registration::registration(registry& tree, std::shared_ptr<mailbox> home, const clock& time, std::uint64_t seed,
                           membership::listener& to, std::function<void()> changed)
    : tree_(tree),
      home_(std::move(home)),
      to_(to),
      changed_(std::move(changed)),
      layout_(home_, time, seed),
      self_(home_, time, seed),
      published_(home_, time, seed) {}

void registration::session_changed(session_state now, bool fresh) {
  is_ready_ = now == session_state::ready;
  if (fresh) {
    is_compatible_ = has_joined_ = false;
    for (auto* all : {&layout_, &self_, &published_}) all->all_due();
  }
}

void registration::let_begin() {
  const bool may_use = is_ready_ && is_compatible_;
  layout_.allow(is_ready_);
  self_.allow(may_use);
  published_.allow(may_use && has_joined_);
}

void registration::entry_changed(const std::string& path) {
  if (id_ && path == node_path(*id_)) self_.due(path);
}

void registration::join(const node_id& id, const node_life& life, const node_attributes& about) {
  assert(!id_);
  id_ = id;
  life_ = life;
  about_ = about;
  layout_.put(version_path, [this](const finish& done) { check_layout(done); });
  self_.put(node_path(*id_), [this](const finish& done) { make_self(done); });
  published_.put(attributes_path(*id_), [this](const finish& done) { describe_self(done); });
  for (const auto& name : actors_) put_actor(name);
}

void registration::take_over(const incarnation& life) {
  over_ = life;
  self_.due(node_path(*id_));
}

void registration::describe(const node_attributes& about) {
  about_ = about;
  if (id_) published_.due(attributes_path(*id_));
}

void registration::publish(const actor_name& name) {
  if (actors_.insert(name).second && id_) put_actor(name);
}

void registration::unpublish(const actor_name& name) {
  if (actors_.erase(name) > 0 && id_) put_removal(name);
}

void registration::check_layout(const finish& done) {
  tree_.get(version_path, false, here<registry_entry>([this, done](entry_answer found) {
              if (is_not_found(found)) return make_layout(done);
              if (!found) return done(found.error());
              auto json = from_json(found->data);
              const auto* number = json ? (*json)["layout"].as_int() : nullptr;
              is_compatible_ = number != nullptr && *number <= version;
              if (!is_compatible_)
                to_.incompatible({error_code::refused, "the registry's layout is " + found->data +
                                                           "; this is version " + std::to_string(version)});
              done({});
              changed_();
            }));
}

void registration::make_layout(const finish& done) {
  tree_.create(version_path, to_json(value::map{{"layout", version}}), registry::kind::persistent,
               here<registry_entry>([this, done](const entry_answer& made) {
                 if (!made && !is_conflict(made)) return done(made.error());
                 check_layout(done);
               }));
}

void registration::make_self(const finish& done) {
  tree_.create(node_path(*id_), to_json(life_.to_value()), registry::kind::ephemeral,
               here<registry_entry>([this, done](const entry_answer& made) {
                 if (!made && !is_conflict(made)) return done(made.error());
                 look_at_self(done);
               }));
}

/// Watched in any case: ours because somebody may remove it, another's because it will end.
void registration::look_at_self(const finish& done) {
  tree_.get(node_path(*id_), true, here<registry_entry>([this, done](const entry_answer& found) {
              if (!found) return done(found.error());
              if (found->ours) return self_stands(done);
              auto other = read<node_life>(*found).value_or(node_life{});
              // Our own is of a session before, and would end with it. Another is replaced once: if it comes back, it
              // lives, and the two of us would go on for ever.
              if (other.life == life_.life || other.life == std::exchange(over_, std::nullopt))
                return replace_self(found->version, done);
              has_joined_ = false;
              done({});
              let_begin();
              to_.id_taken(other);
            }));
}

void registration::self_stands(const finish& done) {
  bool is_news = !std::exchange(has_joined_, true);
  done({});
  let_begin();
  if (is_news) to_.joined();
}

void registration::replace_self(std::int64_t version, const finish& done) {
  tree_.remove(node_path(*id_), version, here<void>([this, done](const result<void>& removed) {
                 if (!removed && !is_not_found(removed)) return done(removed.error());
                 make_self(done);
               }));
}

/// A look first: to write what is there already would cost all servers a write, in a herd of nodes that start.
void registration::describe_self(const finish& done) {
  tree_.get(attributes_path(*id_), false, here<registry_entry>([this, done](const entry_answer& found) {
              if (!found && !is_not_found(found)) return done(found.error());
              auto data = to_json(about_.to_value());
              if (found && found->data == data) return tell_attribute_readers(done);
              tell_attributes_ = true;
              auto written = here<registry_entry>([this, done](const entry_answer& wrote) {
                if (!wrote) return done(wrote.error());
                tell_attribute_readers(done);
              });
              if (found)
                tree_.set(attributes_path(*id_), data, registry::any_version, written);
              else
                tree_.create(attributes_path(*id_), data, registry::kind::persistent, written);
            }));
}

/// Readers watch the bucket, not what is in it.
void registration::tell_attribute_readers(const finish& done) {
  if (!tell_attributes_) return done({});
  tree_.set(all_attributes_path + "/" + bucket(id_->str()), id_->str(), registry::any_version,
            here<registry_entry>([this, done](const entry_answer& told) {
              if (!told) return done(told.error());
              tell_attributes_ = false;
              done({});
            }));
}

std::string registration::published_path(const actor_name& name) const { return actor_path(name) + "/" + id_->str(); }

void registration::put_actor(const actor_name& name) {
  auto path = published_path(name);
  published_.put(path, [this, path](const finish& done) { make_actor(path, done); });
}

void registration::make_actor(const std::string& path, const finish& done) {
  tree_.create(path, "", registry::kind::ephemeral, here<registry_entry>([this, path, done](const entry_answer& made) {
                 if (is_conflict(made)) return check_actor(path, done);
                 done(made ? result<void>() : made.error());
               }));
}

/// It stands from a lost answer, and is ours, or from a session before, and would end with it: as this node has
/// joined, nobody else has its id.
void registration::check_actor(const std::string& path, const finish& done) {
  tree_.get(path, false, here<registry_entry>([this, path, done](const entry_answer& found) {
              if (!found) return done(found.error());
              if (found->ours) return done({});
              tree_.remove(path, found->version, here<void>([this, path, done](const result<void>& removed) {
                             if (!removed && !is_not_found(removed)) return done(removed.error());
                             make_actor(path, done);
                           }));
            }));
}

void registration::put_removal(const actor_name& name) {
  published_.put_once(published_path(name), [this, path = published_path(name)](const finish& done) {
    tree_.remove(path, registry::any_version, here<void>([done](const result<void>& removed) {
                   done(is_not_found(removed) ? result<void>() : removed);
                 }));
  });
}

broken registration::check() const {
  if (!id_ && (has_joined_ || over_)) return "a node without an id has joined";
  if (id_ && !self_.contains(node_path(*id_))) return sentence(*id_, " does not care for its entry");
  for (const auto* each : {&layout_, &self_, &published_})
    if (auto why = each->check()) return why;
  return {};
}

}  // namespace flock::internal
