#include "libflock/membership/roster.hpp"

#include "libflock/membership/registry_layout.hpp"

#include <utility>

namespace flock::internal {

using namespace registry_layout;

namespace {

/// When many nodes come and go at once, a bucket is read for many of them, not for each: twice in this time at most. A
/// node that comes alone is seen at once, also where it makes its bucket first.
constexpr milliseconds between_reads_of_a_bucket{200};

std::string last_element(const std::string& path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

roster::roster(registry& tree, std::shared_ptr<mailbox> home, const clock& time, std::uint64_t seed,
               membership::listener& to)
    : tree_(tree), home_(std::move(home)), to_(to), singles_(home_, time, seed), lists_(home_, time, seed, [this] {
        lists_done();
      }) {}

void roster::begin_anew() {
  node_buckets_.clear();  // a server that lost all its data may come to the same numbers again
  for (auto* all : {&singles_, &lists_}) all->all_due();
}

void roster::allow(bool yes) {
  singles_.allow(yes);
  lists_.allow(yes);
}

void roster::entry_changed(const std::string& path) {
  singles_.due(path);
  lists_.due(path, between_reads_of_a_bucket);
}

bool roster::watches_node(const node_id& node) const { return singles_.contains(node_path(node)); }

void roster::unwant_publishers(const actor_name& name) { singles_.remove(actor_path(name)); }

std::map<node_id, roster::reading>& roster::bucket_of(const node_id& node) { return nodes_[bucket(node.str())]; }

void roster::read_node(const node_id& node, bool watch, const finish& done) {
  tree_.get(node_path(node), watch, here<registry_entry>([this, node, watch, done](const entry_answer& found) {
              if (found)
                node_found(node, *found);
              else if (is_not_found(found))
                node_missing(node, watch);
              else
                return done(found.error());
              done({});
            }));
}

void roster::node_found(const node_id& node, const registry_entry& entry) {
  auto found = read<node_life>(entry);
  auto& known = bucket_of(node)[node];
  if (!found || std::exchange(known, reading(entry)) == reading(entry)) return;
  to_.listed(node, *found);
}

void roster::node_missing(const node_id& node, bool was_wanted) {
  bool was_known = bucket_of(node).erase(node) > 0;
  if (was_known || was_wanted) to_.unlisted(node);
}

void roster::read_attributes(const node_id& node, bool watch, const finish& done) {
  tree_.get(attributes_path(node), watch, here<registry_entry>([this, node, done](const entry_answer& found) {
              if (!found) return done(is_not_found(found) ? result<void>() : found.error());
              auto described = read<node_attributes>(*found);
              auto& known = descriptions_[node];
              if (std::exchange(known, reading(*found)) != reading(*found) && described)
                to_.described(node, *described);
              done({});
            }));
}

void roster::want_node(const node_id& node) {
  if (singles_.contains(node_path(node))) return;
  if (single_nodes_ == membership::max_single_nodes) return want_all();
  ++single_nodes_;
  singles_.put(node_path(node), [this, node](const finish& done) { read_node(node, true, done); });
  singles_.put(attributes_path(node), [this, node](const finish& done) { read_attributes(node, true, done); });
}

void roster::want_publishers(const actor_name& name) {
  if (singles_.contains(actor_path(name))) return;
  singles_.put(actor_path(name), [this, name](const finish& done) {
    tree_.children(actor_path(name), true, here<registry_list>([this, name, done](const list_answer& found) {
                     if (!found && !is_not_found(found)) return done(found.error());
                     std::set<node_id> publishing;
                     if (found) publishing = nodes_of(found->names);
                     done({});
                     if (singles_.contains(actor_path(name))) to_.publishers(name, publishing);
                   }));
  });
}

std::set<node_id> roster::nodes_of(const std::vector<std::string>& elements) {
  std::set<node_id> all;
  for (const auto& e : elements)
    if (auto node = node_id::parse(e)) all.insert(*node);
  return all;
}

// All others. The list of buckets tells of new buckets; each bucket, of its nodes.

void roster::want_all() {
  if (std::exchange(all_wanted_, true)) return;
  put_buckets(all_nodes_path, [this](const std::string& path, const finish& done) { read_node_bucket(path, done); });
  put_buckets(all_attributes_path,
              [this](const std::string& path, const finish& done) { read_attribute_bucket(path, done); });
}

void roster::put_buckets(const std::string& list, const read_bucket& how) {
  lists_.put(list, [this, list, how](const finish& done) {
    tree_.children(list, true, here<registry_list>([this, list, how, done](const list_answer& found) {
                     if (!found && !is_not_found(found)) return done(found.error());
                     for (const auto& name : found.value_or({}).names) {
                       auto path = list + "/" + name;
                       if (!lists_.contains(path))
                         lists_.put(path, [how, path](const finish& read) { how(path, read); });
                     }
                     done({});
                   }));
  });
}

/// Entries whose names are new are read; all of them, if one may have been made anew since the last look, for that
/// has the same name.
void roster::read_node_bucket(const std::string& path, const finish& done) {
  tree_.children(
      path, true, here<registry_list>([this, path, done](const list_answer& found) {
        if (!found && !is_not_found(found)) return done(found.error());
        const auto now = found.value_or({});
        const auto before = std::exchange(node_buckets_[path], now);
        const auto present = nodes_of(now.names);
        for (const auto& [node, known] : std::map(nodes_[last_element(path)]))
          if (!present.contains(node)) node_missing(node, false);
        const auto read_before = nothing_was_replaced(before, now) ? nodes_of(before.names) : std::set<node_id>();
        for (const auto& node : present)
          if (!read_before.contains(node))
            lists_.put_once(node_path(node), [this, node](const finish& read) { read_node(node, false, read); });
        done({});
      }));
}

/// Its data is the id of the last node that changed its attributes. Who has missed no change reads that one alone.
void roster::read_attribute_bucket(const std::string& path, const finish& done) {
  tree_.get(path, true, here<registry_entry>([this, path, done](const entry_answer& found) {
              if (!found) return done(is_not_found(found) ? result<void>() : found.error());
              reading now(*found);
              auto before = description_buckets_[path];
              auto last = node_id::parse(found->data);
              if (now == before) return done({});
              if (last && now.created == before.created && now.version == before.version + 1) {
                description_buckets_[path] = now;
                put_attributes_once(*last);
                return done({});
              }
              read_all_attributes(path, now, done);
            }));
}

void roster::read_all_attributes(const std::string& path, reading now, const finish& done) {
  tree_.children(path, false, here<registry_list>([this, path, now, done](const list_answer& found) {
                   if (!found && !is_not_found(found)) return done(found.error());
                   description_buckets_[path] = now;
                   for (const auto& node : nodes_of(found.value_or({}).names)) put_attributes_once(node);
                   done({});
                 }));
}

void roster::put_attributes_once(const node_id& node) {
  lists_.put_once(attributes_path(node), [this, node](const finish& done) { read_attributes(node, false, done); });
}

void roster::lists_done() {
  if (all_wanted_ && !std::exchange(lists_known_, true)) to_.lists_read();
}

broken roster::check() const {
  if (lists_known_ && !all_wanted_) return "the lists of nodes are known, and nobody wanted them";
  if (single_nodes_ > membership::max_single_nodes) return sentence(single_nodes_, " nodes are watched one by one");
  auto why = singles_.check();
  return why ? why : lists_.check();
}

}  // namespace flock::internal
