#include "libflock/delivery/notifier.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace flock {

using internal::sentence;

notifier::notifier(node_id self, std::string id_prefix, const clock& time, milliseconds ttl, const directory& nodes,
                   host of)
    : self_(std::move(self)),
      id_prefix_(std::move(id_prefix)),
      time_(time),
      ttl_(ttl),
      nodes_(nodes),
      host_(std::move(of)),
      table_(subscription_table::limits{}) {}

notification notifier::make(const node_id& target, const actor_name& actor, std::string action, value::list arguments,
                            std::vector<cause> causes) {
  return {id_prefix_ + "-" + std::to_string(next_++),
          self_,
          target,
          actor,
          std::move(action),
          std::move(arguments),
          std::move(causes),
          time_.wall(),
          time_.wall() + ttl_,
          {}};
}

notification notifier::again(const notification& of) {
  auto n = make(of.target, of.actor, of.action, of.arguments, of.causes);
  n.retry_of = of.id;
  return n;
}

namespace {

/// What is sent, filled one by one as the outbox answers, in whatever order.
struct sending {
  std::vector<notifier::sent> out;
  std::size_t missing;
  notifier::all_sent done;

  void finish() {
    if (auto f = std::exchange(done, {})) f(out);
  }
};

}  // namespace

void notifier::send(wanted_action asked, time_point until, all_sent done, std::function<void()> submitted) {
  if (asked.where.empty()) return done(error{error_code::bad_argument, "no location: neither node, role nor query"});
  const auto wanted = std::make_shared<const wanted_action>(std::move(asked));
  auto looked_up = [this, wanted, until, done = std::move(done), submitted = std::move(submitted)](result<void> known) {
    if (!known) return done(known.error());
    const auto& what = *wanted;
    auto targets = nodes_.select(what.where);
    if (!targets) return done(targets.error());

    const error not_yet{error_code::maybe_done, "the disk has not confirmed yet that it is kept"};
    auto all = std::make_shared<sending>(sending{{}, targets->size(), done});
    for (const auto& target : *targets) all->out.push_back({{}, target, not_yet});
    for (std::size_t i = 0; i < targets->size(); ++i) {
      const auto& target = (*targets)[i];
      auto n = make(target, what.resource.actor(), what.action, {}, what.causes_for(target));
      all->out[i].id = n.id;
      host_.submit(std::move(n), [all, i](result<void> taken) {
        all->out[i].taken = std::move(taken);
        if (--all->missing == 0) all->finish();
      });
    }
    if (submitted) submitted();
    if (all->missing > 0 && until != time_point::max()) host_.at(until, [all] { all->finish(); });
  };
  host_.look_up(wanted->where, until, std::move(looked_up));
}

result<bool> notifier::wishes_of(const node_id& subscriber, std::vector<wish> wishes) {
  return table_.replace(subscriber, std::move(wishes));
}

std::vector<wanted_action> notifier::wanted_by_subscribers(const resource_name& updated) const {
  std::vector<wanted_action> out;
  for (const auto& m : table_.matching(updated)) {
    wanted_action w;
    w.resource = m.what.resource;
    w.action = m.what.action;
    w.where.nodes = {m.subscriber};
    w.when = m.what.when;
    out.push_back(std::move(w));
  }
  return out;
}

void notifier::subscribe(std::vector<subscription> all) {
  ours_ = std::move(all);
  for (const auto& s : ours_) host_.watch(s.publishers);
  nodes_changed();
}

std::vector<wish> notifier::wishes_for(const node_id& publisher) const {
  std::vector<wish> out;
  for (const auto& s : ours_) {
    const auto publishers = nodes_.select(s.publishers);
    if (publishers && std::find(publishers->begin(), publishers->end(), publisher) != publishers->end())
      out.push_back({s.id, s.watched, s.resource, s.action, s.when});
  }
  return out;
}

void notifier::nodes_changed() {
  std::set<node_id> publishers;
  for (const auto& [id, wishes] : told_) publishers.insert(id);  // who may have to hear that a wish is gone
  for (const auto& s : ours_)
    if (auto selected = nodes_.select(s.publishers)) publishers.insert(selected->begin(), selected->end());
  for (const auto& id : publishers) {
    if (id == self_) {
      table_.replace(self_, wishes_for(self_)).has_value();
    } else if (host_.is_connected(id)) {
      tell(id);
    } else {
      host_.want_connection(id);
    }
  }
}

void notifier::connected(const node_id& id) {
  // Another life of it may have forgotten what it was told, or the last word not have got there.
  if (auto known = told_.find(id); known != told_.end()) known->second.reset();
  tell(id);
}

void notifier::tell(const node_id& publisher) {
  auto wishes = wishes_for(publisher);
  auto known = told_.find(publisher);
  if (known == told_.end() ? wishes.empty() : known->second == wishes) return;
  told_[publisher] = wishes;
  host_.tell_wishes(publisher, wishes, [this, publisher](result<void> told) {
    if (told) return;
    told_[publisher].reset();
    // A refusal is told again too: a reload over there may lift it. Without a connection, connected() tells.
    if (host_.is_connected(publisher)) host_.retry_soon([this, publisher] { tell(publisher); });
  });
}

broken notifier::check() const {
  if (told_.contains(self_)) return sentence(self_, " tells itself what it wishes");
  for (const auto& [publisher, wishes] : told_)
    for (const auto& w : wishes.value_or(std::vector<wish>()))
      if (std::none_of(ours_.begin(), ours_.end(), [&](const subscription& s) { return s.id == w.id; }) &&
          host_.is_connected(publisher))
        return sentence(publisher, " was told wish ", w.id, ", and no subscription has it");
  return table_.check();
}

}  // namespace flock
