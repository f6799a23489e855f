#include "libflock/membership/membership.hpp"

#include "libflock/membership/registration.hpp"
#include "libflock/membership/roster.hpp"

#include <cstdint>
#include <utility>

namespace flock {

/// Two parts that share a session: what this node is, and what it wants to know of others.
struct membership::implementation {
  implementation(registry& r, const std::shared_ptr<mailbox>& h, const clock& time, membership::listener& l)
      : tree(r),
        home(h),
        to(l),
        seed(static_cast<std::uint64_t>(time.now().time_since_epoch().count())),
        own(std::make_shared<internal::registration>(tree, home, time, seed, to, [this] { let_begin(); })),
        others(std::make_shared<internal::roster>(tree, home, time, seed, to)) {}

  void session_changed(session_state now, bool fresh) {
    state = now;
    own->session_changed(now, fresh);
    if (fresh) others->begin_anew();
    to.registry_changed(now);
    let_begin();
  }

  void let_begin() {
    own->let_begin();
    others->allow(state == session_state::ready && own->is_compatible());
  }

  void changed(const std::string& path) {
    own->entry_changed(path);
    others->entry_changed(path);
  }

  registry& tree;
  const std::shared_ptr<mailbox> home;
  membership::listener& to;
  session_state state = session_state::connecting;
  const std::uint64_t seed;  // no two nodes have the same pauses
  const std::shared_ptr<internal::registration> own;
  const std::shared_ptr<internal::roster> others;
};

membership::membership(registry& tree, std::shared_ptr<mailbox> home, const clock& time, listener& to)
    : self_(std::make_shared<implementation>(tree, std::move(home), time, to)) {}

membership::~membership() = default;

void membership::join(const node_id& id, const node_life& life, const node_attributes& about) {
  self_->own->join(id, life, about);
  self_->tree.start(*this);
}

void membership::take_over(const incarnation& life) { self_->own->take_over(life); }

void membership::describe(const node_attributes& about) { self_->own->describe(about); }

void membership::publish(const actor_name& name) { self_->own->publish(name); }

void membership::unpublish(const actor_name& name) { self_->own->unpublish(name); }

void membership::want_node(const node_id& id) { self_->others->want_node(id); }

bool membership::watches_node(const node_id& id) const { return self_->others->watches_node(id); }

void membership::want_all() { self_->others->want_all(); }

void membership::want_publishers(const actor_name& name) { self_->others->want_publishers(name); }

void membership::unwant_publishers(const actor_name& name) { self_->others->unwant_publishers(name); }

session_state membership::state() const { return self_->state; }

bool membership::all_wanted() const { return self_->others->all_wanted(); }

bool membership::lists_known() const { return self_->others->lists_known(); }

broken membership::check() const {
  auto why = self_->own->check();
  return why ? why : self_->others->check();
}

void membership::session_changed(session_state now, bool fresh) {
  self_->home->post([where = std::weak_ptr(self_), now, fresh] {
    if (auto alive = where.lock()) alive->session_changed(now, fresh);
  });
}

void membership::changed(const std::string& path) {
  self_->home->post([where = std::weak_ptr(self_), path] {
    if (auto alive = where.lock()) alive->changed(path);
  });
}

}  // namespace flock
