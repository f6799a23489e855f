#include "flock/membership.hpp"

#include "internal/chores.hpp"

#include <cassert>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace flock {

namespace {

using internal::chores;

const std::string layout_path = "/version";
const std::string nodes_path = "/nodes";
const std::string all_attributes_path = "/attributes";

/// When many nodes come and go at once, a bucket is read for many of them, not for each: twice in this time at most. A
/// node that comes alone is seen at once, also where it makes its bucket first.
constexpr milliseconds between_reads_of_a_bucket{200};

std::uint32_t fnv1a(std::string_view text) {
  std::uint32_t hash = 2'166'136'261;
  for (char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 16'777'619;
  return hash;
}

std::string element(const actor_name& name) {
  // ZooKeeper takes them for what they are in file systems, and refuses them.
  if (name == ".") return "%2E";
  if (name == "..") return "%2E%2E";
  return percent_encode(name.str());
}

std::string last_element(const std::string& path) { return path.substr(path.rfind('/') + 1); }

/// What an entry says. Nothing if it cannot be read: then a version to come wrote it, and it is as if it were not
/// there.
template <class T> std::optional<T> read(const registry_entry& entry) {
  auto json = from_json(entry.data);
  if (!json) return std::nullopt;
  auto value = T::from_value(*json);
  return value ? std::optional(*std::move(value)) : std::nullopt;
}

template <class T> bool is_not_found(const result<T>& r) { return !r && r.error().code == error_code::not_found; }
template <class T> bool is_conflict(const result<T>& r) { return !r && r.error().code == error_code::conflict; }

}  // namespace

/// What was read of an entry last.
struct reading {
  std::int64_t created = 0;
  std::int64_t version = -1;

  explicit reading(const registry_entry& e) : created(e.created), version(e.version) {}
  reading() = default;
  friend bool operator==(const reading&, const reading&) = default;
};

struct membership::implementation : std::enable_shared_from_this<implementation> {
  using finish = chores::finish;
  using entry_answer = result<registry_entry>;
  using list_answer = result<registry_list>;

  implementation(registry& r, std::shared_ptr<mailbox> h, const clock& time, membership::listener& l)
      : tree(r),
        home(std::move(h)),
        to(l),
        seed(static_cast<std::uint64_t>(time.now().time_since_epoch().count())),
        layout(home, time, seed),
        self(home, time, seed),
        published(home, time, seed),
        singles(home, time, seed),
        lists(home, time, seed, [this] { lists_done(); }) {}

  registry& tree;
  const std::shared_ptr<mailbox> home;
  membership::listener& to;

  session_state state = session_state::connecting;
  bool is_compatible = false;
  bool has_joined = false;

  std::optional<node_id> id;
  node_life life;
  std::optional<incarnation> over;  ///< a life of our id that is said to have ended
  node_attributes about;
  bool tell_attributes = true;  ///< that the bucket has a change of ours which its readers were not told of
  std::set<actor_name> actors;

  std::size_t single_nodes = 0;
  bool all_wanted = false;
  bool lists_known = false;
  std::map<std::string, std::map<node_id, reading>> nodes;  ///< by bucket
  std::map<std::string, registry_list> node_buckets;        ///< by path, as they were read last in this session
  std::map<node_id, reading> descriptions;
  std::map<std::string, reading> description_buckets;  ///< by path

  const std::uint64_t seed;  ///< no two nodes have the same pauses
  // Each waits for what those before it found: see let_begin().
  chores layout;
  chores self;
  chores published;  ///< attributes and actors
  chores singles;    ///< wanted nodes and publishers; a key is the path that is watched
  chores lists;      ///< likewise, and entries that are to be read once

  // Session.

  /// Answers come on the registry's thread; what is done with them belongs to ours.
  template <class T, class F> registry::answer<T> here(F then) {
    return [h = home, where = weak_from_this(), then = std::move(then)](result<T> r) {
      h->post([where, then, r = std::move(r)]() mutable {
        if (auto alive = where.lock()) then(std::move(r));
      });
    };
  }

  void session_changed(session_state now, bool fresh) {
    state = now;
    if (fresh) {
      is_compatible = has_joined = false;
      node_buckets.clear();  // a server that lost all its data may come to the same numbers again
      for (auto* all : {&layout, &self, &published, &singles, &lists}) all->all_due();
    }
    to.registry_changed(now);
    let_begin();
  }

  void let_begin() {
    bool ready = state == session_state::ready;
    bool may_use = ready && is_compatible;
    layout.allow(ready);
    self.allow(may_use);
    singles.allow(may_use);
    lists.allow(may_use);
    published.allow(may_use && has_joined);
  }

  void changed(const std::string& path) {
    if (id && path == node_path(*id)) self.due(path);
    singles.due(path);
    lists.due(path, between_reads_of_a_bucket);
  }

  void check_layout(const finish& done) {
    tree.get(layout_path, false, here<registry_entry>([this, done](entry_answer found) {
               if (is_not_found(found)) return make_layout(done);
               if (!found) return done(found.error());
               auto json = from_json(found->data);
               const auto* number = json ? (*json)["layout"].as_int() : nullptr;
               is_compatible = number != nullptr && *number <= layout_version;
               if (!is_compatible)
                 to.incompatible({error_code::refused, "the registry's layout is " + found->data +
                                                           "; this is version " + std::to_string(layout_version)});
               done({});
               let_begin();
             }));
  }

  void make_layout(const finish& done) {
    tree.create(layout_path, to_json(value::map{{"layout", layout_version}}), registry::kind::persistent,
                here<registry_entry>([this, done](const entry_answer& made) {
                  if (!made && !is_conflict(made)) return done(made.error());
                  check_layout(done);
                }));
  }

  // This node.

  void join() {
    layout.put(layout_path, [this](const finish& done) { check_layout(done); });
    self.put(node_path(*id), [this](const finish& done) { make_self(done); });
    published.put(attributes_path(*id), [this](const finish& done) { describe_self(done); });
    for (const auto& name : actors) put_actor(name);
  }

  void make_self(const finish& done) {
    tree.create(node_path(*id), to_json(life.to_value()), registry::kind::ephemeral,
                here<registry_entry>([this, done](const entry_answer& made) {
                  if (!made && !is_conflict(made)) return done(made.error());
                  look_at_self(done);
                }));
  }

  /// Watched in any case: ours because somebody may remove it, another's because it will end.
  void look_at_self(const finish& done) {
    tree.get(node_path(*id), true, here<registry_entry>([this, done](const entry_answer& found) {
               if (!found) return done(found.error());
               if (found->ours) return self_stands(done);
               auto other = read<node_life>(*found).value_or(node_life{});
               // Our own is of a session before, and would end with it. Another is replaced once: if it comes back, it
               // lives, and the two of us would go on for ever.
               if (other.life == life.life || other.life == std::exchange(over, std::nullopt))
                 return replace_self(found->version, done);
               has_joined = false;
               done({});
               let_begin();
               to.id_taken(other);
             }));
  }

  void self_stands(const finish& done) {
    bool is_news = !std::exchange(has_joined, true);
    done({});
    let_begin();
    if (is_news) to.joined();
  }

  void replace_self(std::int64_t version, const finish& done) {
    tree.remove(node_path(*id), version, here<void>([this, done](const result<void>& removed) {
                  if (!removed && !is_not_found(removed)) return done(removed.error());
                  make_self(done);
                }));
  }

  /// A look first: to write what is there already would cost all servers a write, in a herd of nodes that start.
  void describe_self(const finish& done) {
    tree.get(attributes_path(*id), false, here<registry_entry>([this, done](const entry_answer& found) {
               if (!found && !is_not_found(found)) return done(found.error());
               auto data = to_json(about.to_value());
               if (found && found->data == data) return tell_attribute_readers(done);
               tell_attributes = true;
               auto written = here<registry_entry>([this, done](const entry_answer& wrote) {
                 if (!wrote) return done(wrote.error());
                 tell_attribute_readers(done);
               });
               if (found)
                 tree.set(attributes_path(*id), data, registry::any_version, written);
               else
                 tree.create(attributes_path(*id), data, registry::kind::persistent, written);
             }));
  }

  /// Readers watch the bucket, not what is in it.
  void tell_attribute_readers(const finish& done) {
    if (!tell_attributes) return done({});
    tree.set(all_attributes_path + "/" + bucket(id->str()), id->str(), registry::any_version,
             here<registry_entry>([this, done](const entry_answer& told) {
               if (!told) return done(told.error());
               tell_attributes = false;
               done({});
             }));
  }

  std::string published_path(const actor_name& name) const { return actor_path(name) + "/" + id->str(); }

  void put_actor(const actor_name& name) {
    auto path = published_path(name);
    published.put(path, [this, path](const finish& done) { make_actor(path, done); });
  }

  void make_actor(const std::string& path, const finish& done) {
    tree.create(path, "", registry::kind::ephemeral, here<registry_entry>([this, path, done](const entry_answer& made) {
                  if (is_conflict(made)) return check_actor(path, done);
                  done(made ? result<void>() : made.error());
                }));
  }

  /// It stands from a lost answer, and is ours, or from a session before, and would end with it: as this node has
  /// joined, nobody else has its id.
  void check_actor(const std::string& path, const finish& done) {
    tree.get(path, false, here<registry_entry>([this, path, done](const entry_answer& found) {
               if (!found) return done(found.error());
               if (found->ours) return done({});
               tree.remove(path, found->version, here<void>([this, path, done](const result<void>& removed) {
                             if (!removed && !is_not_found(removed)) return done(removed.error());
                             make_actor(path, done);
                           }));
             }));
  }

  void put_removal(const actor_name& name) {
    published.put_once(published_path(name), [this, path = published_path(name)](const finish& done) {
      tree.remove(path, registry::any_version, here<void>([done](const result<void>& removed) {
                    done(is_not_found(removed) ? result<void>() : removed);
                  }));
    });
  }

  // Others.

  std::map<node_id, reading>& bucket_of(const node_id& node) { return nodes[bucket(node.str())]; }

  void read_node(const node_id& node, bool watch, const finish& done) {
    tree.get(node_path(node), watch, here<registry_entry>([this, node, watch, done](const entry_answer& found) {
               if (found)
                 node_found(node, *found);
               else if (is_not_found(found))
                 node_missing(node, watch);
               else
                 return done(found.error());
               done({});
             }));
  }

  void node_found(const node_id& node, const registry_entry& entry) {
    auto found = read<node_life>(entry);
    auto& known = bucket_of(node)[node];
    if (!found || std::exchange(known, reading(entry)) == reading(entry)) return;
    to.listed(node, *found);
  }

  void node_missing(const node_id& node, bool was_wanted) {
    bool was_known = bucket_of(node).erase(node) > 0;
    if (was_known || was_wanted) to.unlisted(node);
  }

  void read_attributes(const node_id& node, bool watch, const finish& done) {
    tree.get(attributes_path(node), watch, here<registry_entry>([this, node, done](const entry_answer& found) {
               if (!found) return done(is_not_found(found) ? result<void>() : found.error());
               auto described = read<node_attributes>(*found);
               auto& known = descriptions[node];
               if (std::exchange(known, reading(*found)) != reading(*found) && described)
                 to.described(node, *described);
               done({});
             }));
  }

  void want_node(const node_id& node) {
    if (singles.contains(node_path(node))) return;
    if (single_nodes == max_single_nodes) return want_all();
    ++single_nodes;
    singles.put(node_path(node), [this, node](const finish& done) { read_node(node, true, done); });
    singles.put(attributes_path(node), [this, node](const finish& done) { read_attributes(node, true, done); });
  }

  void want_publishers(const actor_name& name) {
    if (singles.contains(actor_path(name))) return;
    singles.put(actor_path(name), [this, name](const finish& done) {
      tree.children(actor_path(name), true, here<registry_list>([this, name, done](const list_answer& found) {
                      if (!found && !is_not_found(found)) return done(found.error());
                      std::set<node_id> publishing;
                      if (found) publishing = nodes_of(found->names);
                      done({});
                      if (singles.contains(actor_path(name))) to.publishers(name, publishing);
                    }));
    });
  }

  static std::set<node_id> nodes_of(const std::vector<std::string>& elements) {
    std::set<node_id> all;
    for (const auto& e : elements)
      if (auto node = node_id::parse(e)) all.insert(*node);
    return all;
  }

  // All others. The list of buckets tells of new buckets; each bucket, of its nodes.

  void want_all() {
    if (std::exchange(all_wanted, true)) return;
    put_buckets(nodes_path, [this](const std::string& path, const finish& done) { read_node_bucket(path, done); });
    put_buckets(all_attributes_path,
                [this](const std::string& path, const finish& done) { read_attribute_bucket(path, done); });
  }

  using read_bucket = std::function<void(const std::string& path, const finish& done)>;

  void put_buckets(const std::string& list, const read_bucket& how) {
    lists.put(list, [this, list, how](const finish& done) {
      tree.children(list, true, here<registry_list>([this, list, how, done](const list_answer& found) {
                      if (!found && !is_not_found(found)) return done(found.error());
                      for (const auto& name : found.value_or({}).names) {
                        auto path = list + "/" + name;
                        if (!lists.contains(path))
                          lists.put(path, [how, path](const finish& read) { how(path, read); });
                      }
                      done({});
                    }));
    });
  }

  /// Entries whose names are new are read; all of them, if one may have been made anew since the last look, for that
  /// has the same name.
  void read_node_bucket(const std::string& path, const finish& done) {
    tree.children(
        path, true, here<registry_list>([this, path, done](const list_answer& found) {
          if (!found && !is_not_found(found)) return done(found.error());
          const auto now = found.value_or({});
          const auto before = std::exchange(node_buckets[path], now);
          const auto present = nodes_of(now.names);
          for (const auto& [node, known] : std::map(nodes[last_element(path)]))
            if (!present.contains(node)) node_missing(node, false);
          const auto read_before = nothing_was_replaced(before, now) ? nodes_of(before.names) : std::set<node_id>();
          for (const auto& node : present)
            if (!read_before.contains(node))
              lists.put_once(node_path(node), [this, node](const finish& read) { read_node(node, false, read); });
          done({});
        }));
  }

  /// Its data is the id of the last node that changed its attributes. Who has missed no change reads that one alone.
  void read_attribute_bucket(const std::string& path, const finish& done) {
    tree.get(path, true, here<registry_entry>([this, path, done](const entry_answer& found) {
               if (!found) return done(is_not_found(found) ? result<void>() : found.error());
               reading now(*found);
               auto before = description_buckets[path];
               auto last = node_id::parse(found->data);
               if (now == before) return done({});
               if (last && now.created == before.created && now.version == before.version + 1) {
                 description_buckets[path] = now;
                 put_attributes_once(*last);
                 return done({});
               }
               read_all_attributes(path, now, done);
             }));
  }

  void read_all_attributes(const std::string& path, reading now, const finish& done) {
    tree.children(path, false, here<registry_list>([this, path, now, done](const list_answer& found) {
                    if (!found && !is_not_found(found)) return done(found.error());
                    description_buckets[path] = now;
                    for (const auto& node : nodes_of(found.value_or({}).names)) put_attributes_once(node);
                    done({});
                  }));
  }

  void put_attributes_once(const node_id& node) {
    lists.put_once(attributes_path(node), [this, node](const finish& done) { read_attributes(node, false, done); });
  }

  void lists_done() {
    if (all_wanted && !std::exchange(lists_known, true)) to.lists_read();
  }
};

membership::membership(registry& tree, std::shared_ptr<mailbox> home, const clock& time, listener& to)
    : self_(std::make_shared<implementation>(tree, std::move(home), time, to)) {}

membership::~membership() = default;

void membership::join(const node_id& id, const node_life& life, const node_attributes& about) {
  assert(!self_->id);
  self_->id = id;
  self_->life = life;
  self_->about = about;
  self_->join();
  self_->tree.start(*this);
}

void membership::take_over(const incarnation& life) {
  self_->over = life;
  self_->self.due(node_path(*self_->id));
}

void membership::describe(const node_attributes& about) {
  self_->about = about;
  if (self_->id) self_->published.due(attributes_path(*self_->id));
}

void membership::publish(const actor_name& name) {
  if (self_->actors.insert(name).second && self_->id) self_->put_actor(name);
}

void membership::unpublish(const actor_name& name) {
  if (self_->actors.erase(name) > 0 && self_->id) self_->put_removal(name);
}

void membership::want_node(const node_id& id) { self_->want_node(id); }

bool membership::watches_node(const node_id& id) const { return self_->singles.contains(node_path(id)); }

void membership::want_all() { self_->want_all(); }

void membership::want_publishers(const actor_name& name) { self_->want_publishers(name); }

void membership::unwant_publishers(const actor_name& name) { self_->singles.remove(actor_path(name)); }

session_state membership::state() const { return self_->state; }

bool membership::all_wanted() const { return self_->all_wanted; }

bool membership::lists_known() const { return self_->lists_known; }

std::string membership::node_path(const node_id& id) { return nodes_path + "/" + bucket(id.str()) + "/" + id.str(); }

std::string membership::attributes_path(const node_id& id) {
  return all_attributes_path + "/" + bucket(id.str()) + "/" + id.str();
}

std::string membership::actor_path(const actor_name& name) {
  return "/actors/" + bucket(name.str()) + "/" + element(name);
}

std::string membership::bucket(std::string_view name) {
  constexpr std::string_view digits = "0123456789abcdef";
  auto hash = fnv1a(name);
  return {digits[hash >> 28], digits[hash >> 24 & 15]};
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
