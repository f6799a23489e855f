#include "libflock/seams/memory_registry.hpp"

#include <cassert>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace flock {

namespace {

std::string parent_of(const std::string& path) {
  auto slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

[[maybe_unused]] bool is_path(const std::string& path) {  // by assertions only
  return path == "/" || (path.starts_with('/') && !path.ends_with('/') && path.find("//") == std::string::npos);
}

error failed(error_code code, const std::string& path, std::string_view why) {
  return error{code, path + ": " + std::string(why)};
}

error disconnected(error_code code) {
  return error{code, code == error_code::maybe_done ? "the connection went before an answer came" : "no session"};
}

}  // namespace

/// Its mutex guards the sessions as well, for one change reaches into several of them.
class memory_tree {
 public:
  using kind = registry::kind;
  using session_number = std::uint64_t;
  using watcher = std::function<void(const std::string& path)>;

  memory_tree() { nodes_.emplace("/", node{}); }

  session_number begin_session(watcher w) {
    sessions_.emplace(++last_session_, std::move(w));
    return last_session_;
  }

  void end_session(session_number s) {
    sessions_.erase(s);
    forget_watches(data_watches_, s);
    forget_watches(child_watches_, s);
    for (const auto& path : owned_by(s)) erase(path);
  }

  result<registry_entry> create(session_number s, const std::string& path, std::string data, kind k) {
    if (nodes_.contains(path)) return failed(error_code::conflict, path, "exists already");
    if (auto parents = make_parents(path); !parents) return parents.error();
    return entry(s, insert(path, node{.data = std::move(data), .what = k, .owner = k == kind::ephemeral ? s : 0}));
  }

  result<registry_entry> get(session_number s, const std::string& path, bool watch) {
    if (watch) data_watches_[path].insert(s);
    auto found = nodes_.find(path);
    if (found == nodes_.end()) return failed(error_code::not_found, path, "no such entry");
    return entry(s, found->second);
  }

  result<registry_list> children(session_number s, const std::string& path, bool watch) {
    auto found = nodes_.find(path);
    bool exists = found != nodes_.end();
    if (watch) (exists ? child_watches_ : data_watches_)[path].insert(s);
    if (!exists) return failed(error_code::not_found, path, "no such entry");
    return registry_list{names_below(path), found->second.created, found->second.changes_below};
  }

  result<registry_entry> set(session_number s, const std::string& path, std::string data, std::int64_t version) {
    auto found = nodes_.find(path);
    if (auto fit = check(path, found, version); !fit) return fit.error();
    found->second.data = std::move(data);
    ++found->second.version;
    fire(data_watches_, path);
    return entry(s, found->second);
  }

  result<void> remove(const std::string& path, std::int64_t version) {
    if (auto fit = check(path, nodes_.find(path), version); !fit) return fit.error();
    if (!names_below(path).empty()) return failed(error_code::conflict, path, "has children");
    erase(path);
    return {};
  }

  void wipe() {
    std::vector<std::string> all;
    for (const auto& [path, n] : nodes_) all.push_back(path);
    nodes_.clear();
    nodes_.emplace("/", node{});
    for (const auto& path : all) {
      fire(data_watches_, path);
      fire(child_watches_, path);
    }
  }

  std::mutex mutex;

 private:
  struct node {
    std::string data;
    std::int64_t version = 0;
    std::int64_t created = 0;
    std::int64_t changes_below = 0;  ///< children made and removed
    kind what = kind::persistent;
    session_number owner = 0;  ///< of an ephemeral one
  };
  using node_map = std::map<std::string, node>;
  using watch_map = std::map<std::string, std::set<session_number>>;

  static registry_entry entry(session_number reader, const node& n) {
    return {n.data, n.version, n.created, n.owner != 0, n.owner == reader};
  }

  static result<void> unfit(error_code code, const std::string& path, std::string_view why) {
    return failed(code, path, why);
  }

  result<void> check(const std::string& path, node_map::const_iterator at, std::int64_t version) const {
    if (at == nodes_.end()) return unfit(error_code::not_found, path, "no such entry");
    if (version != registry::any_version && version != at->second.version)
      return unfit(error_code::conflict, path, "has version " + std::to_string(at->second.version));
    return {};
  }

  const node& insert(const std::string& path, node n) {
    n.created = ++last_created_;
    const node& added = nodes_.insert_or_assign(path, std::move(n)).first->second;
    const auto parent = parent_of(path);
    ++nodes_.at(parent).changes_below;
    fire(data_watches_, path);
    fire(child_watches_, parent);
    return added;
  }

  result<void> make_parents(const std::string& path) {
    auto parent = parent_of(path);
    auto found = nodes_.find(parent);
    if (found != nodes_.end()) {
      if (found->second.what != kind::ephemeral) return {};
      return unfit(error_code::refused, path, "an ephemeral entry has no children");
    }
    if (auto above = make_parents(parent); !above) return above;
    insert(parent, node{.what = kind::container});
    return {};
  }

  void erase(const std::string& path) {
    nodes_.erase(path);
    fire(data_watches_, path);
    fire(child_watches_, path);
    auto parent = parent_of(path);
    ++nodes_.at(parent).changes_below;
    fire(child_watches_, parent);
    if (nodes_.at(parent).what == kind::container && names_below(parent).empty()) erase(parent);
  }

  std::vector<std::string> names_below(const std::string& path) const {
    auto prefix = path == "/" ? path : path + "/";
    std::vector<std::string> names;
    for (auto at = nodes_.upper_bound(prefix); at != nodes_.end() && at->first.starts_with(prefix); ++at) {
      auto name = at->first.substr(prefix.size());
      if (name.find('/') == std::string::npos) names.push_back(std::move(name));
    }
    return names;
  }

  std::vector<std::string> owned_by(session_number s) const {
    std::vector<std::string> paths;
    for (const auto& [path, n] : nodes_)
      if (n.owner == s) paths.push_back(path);
    return paths;
  }

  void fire(watch_map& watches, const std::string& path) {
    auto armed = watches.extract(path);
    if (armed.empty()) return;
    for (auto s : armed.mapped()) sessions_.at(s)(path);
  }

  static void forget_watches(watch_map& watches, session_number s) {
    for (auto& [path, armed_by] : watches) armed_by.erase(s);
    std::erase_if(watches, [](const auto& watch) { return watch.second.empty(); });
  }

  node_map nodes_;
  watch_map data_watches_;
  watch_map child_watches_;
  std::map<session_number, watcher> sessions_;
  session_number last_session_ = 0;
  std::int64_t last_created_ = 0;
};

std::shared_ptr<memory_tree> make_memory_tree() { return std::make_shared<memory_tree>(); }

void wipe(memory_tree& tree) {
  std::lock_guard lock(tree.mutex);
  tree.wipe();
}

/// One client of the tree, through all its sessions. Guarded by the tree's mutex where not said otherwise.
struct memory_registry::client : std::enable_shared_from_this<client> {
  client(std::shared_ptr<memory_tree> t, std::shared_ptr<mailbox> m) : tree(std::move(t)), turn(std::move(m)) {}

  void begin_session() {
    session = tree->begin_session([this, mine = ++sessions](const std::string& path) {
      if (mine == sessions) watch_fired(path);
    });
    move_to(session_state::ready, true);
  }

  void end_session() {
    if (session != 0) tree->end_session(std::exchange(session, 0));
    missed.clear();
    ++cuts;
  }

  void abandon_session() {
    if (session != 0) abandoned.push_back(std::exchange(session, 0));
    ++sessions;  // it hears nothing of it any more
    missed.clear();
    ++cuts;
  }

  void end_abandoned() {
    for (auto s : std::exchange(abandoned, {})) tree->end_session(s);
  }

  void move_to(session_state now, bool fresh) {
    state = now;
    report([now, fresh](listener& l) { l.session_changed(now, fresh); });
  }

  void watch_fired(const std::string& path) {
    if (state == session_state::suspended)
      missed.insert(path);
    else
      report_change(path);
  }

  void report_change(const std::string& path) {
    ++counts.watches_fired;
    report([this, path, armed_by = session](listener& l) {
      if (is_session(armed_by)) l.changed(path);
    });
  }

  bool is_session(memory_tree::session_number s) const {
    std::lock_guard lock(tree->mutex);
    return session == s;
  }

  template <class F> void report(F what) {
    turn->post([self = shared_from_this(), what] {
      std::lock_guard lock(self->listening);
      if (self->to != nullptr) what(*self->to);
    });
  }

  /// Does it now and answers later. An answer that a cut of the connection overtakes is lost, as on a network.
  template <class T, class F> void perform(answer<T> done, error_code when_cut, F operation) {
    std::lock_guard lock(tree->mutex);
    if (state != session_state::ready) {
      auto code = stopped ? error_code::shutting_down : error_code::session_lost;
      turn->post([done = std::move(done), code] { done(disconnected(code)); });
      return;
    }
    ++counts.operations;
    turn->post([self = shared_from_this(), done = std::move(done), when_cut, asked_at = cuts,
                outcome = result<T>(operation())]() mutable {
      auto cut = self->cut_since(asked_at, when_cut);
      done(cut ? result<T>(std::move(*cut)) : std::move(outcome));
    });
  }

  std::optional<error> cut_since(std::uint64_t asked_at, error_code when_cut) const {
    std::lock_guard lock(tree->mutex);
    if (stopped) return disconnected(error_code::shutting_down);
    if (cuts != asked_at) return disconnected(when_cut);
    return std::nullopt;
  }

  const std::shared_ptr<memory_tree> tree;
  const std::shared_ptr<mailbox> turn;
  session_state state = session_state::connecting;
  memory_tree::session_number session = 0;  ///< 0: none
  std::uint64_t sessions = 0;               ///< how many there were
  std::vector<memory_tree::session_number> abandoned;
  bool reachable = true;         ///< its servers
  std::uint64_t cuts = 0;        ///< how often the connection went
  std::set<std::string> missed;  ///< watches that fired while suspended
  statistics counts;
  bool stopped = false;

  std::mutex listening;  ///< guards `to` and is held while it is called, so that it is not called after stop()
  listener* to = nullptr;
};

memory_registry::memory_registry(std::shared_ptr<memory_tree> tree, std::shared_ptr<mailbox> turn)
    : client_(std::make_shared<client>(std::move(tree), std::move(turn))) {}

memory_registry::~memory_registry() { stop(); }

void memory_registry::start(listener& to) {
  {
    std::lock_guard lock(client_->listening);
    client_->to = &to;
  }
  std::lock_guard lock(client_->tree->mutex);
  if (client_->reachable) client_->begin_session();
}

void memory_registry::create(const std::string& path, std::string data, kind k, answer<registry_entry> done) {
  assert(is_path(path));
  client_->perform(std::move(done), error_code::maybe_done, [&]() -> result<registry_entry> {
    if (data.size() > max_data) return failed(error_code::refused, path, "too large");
    return client_->tree->create(client_->session, path, std::move(data), k);
  });
}

void memory_registry::get(const std::string& path, bool watch, answer<registry_entry> done) {
  assert(is_path(path));
  client_->perform(std::move(done), error_code::session_lost,
                   [&] { return client_->tree->get(client_->session, path, watch); });
}

void memory_registry::children(const std::string& path, bool watch, answer<registry_list> done) {
  assert(is_path(path));
  client_->perform(std::move(done), error_code::session_lost,
                   [&] { return client_->tree->children(client_->session, path, watch); });
}

void memory_registry::set(const std::string& path, std::string data, std::int64_t version,
                          answer<registry_entry> done) {
  assert(is_path(path));
  client_->perform(std::move(done), error_code::maybe_done, [&]() -> result<registry_entry> {
    if (data.size() > max_data) return failed(error_code::refused, path, "too large");
    return client_->tree->set(client_->session, path, std::move(data), version);
  });
}

void memory_registry::remove(const std::string& path, std::int64_t version, answer<void> done) {
  assert(is_path(path));
  client_->perform(std::move(done), error_code::maybe_done, [&] { return client_->tree->remove(path, version); });
}

registry::statistics memory_registry::stats() const {
  std::lock_guard lock(client_->tree->mutex);
  auto s = client_->counts;
  s.server = "memory";
  s.session = client_->session;
  return s;
}

void memory_registry::stop() {
  {
    std::lock_guard lock(client_->tree->mutex);
    client_->stopped = true;
    client_->state = session_state::lost;
    client_->end_session();
    client_->end_abandoned();
  }
  std::lock_guard lock(client_->listening);
  client_->to = nullptr;
}

void memory_registry::suspend() {
  std::lock_guard lock(client_->tree->mutex);
  client_->reachable = false;
  if (client_->state != session_state::ready) return;
  ++client_->cuts;
  client_->move_to(session_state::suspended, false);
}

void memory_registry::resume() {
  std::lock_guard lock(client_->tree->mutex);
  if (client_->stopped || std::exchange(client_->reachable, true)) return;
  if (client_->session == 0) client_->begin_session();
  if (client_->state != session_state::suspended) return;
  client_->move_to(session_state::ready, false);
  for (const auto& path : std::exchange(client_->missed, {})) client_->report_change(path);
}

void memory_registry::expire() {
  std::lock_guard lock(client_->tree->mutex);
  if (client_->session == 0) return;
  client_->end_session();
  client_->move_to(session_state::lost, false);
  if (client_->reachable) client_->begin_session();
}

void memory_registry::abandon() {
  std::lock_guard lock(client_->tree->mutex);
  if (client_->session == 0) return;
  client_->abandon_session();
  client_->move_to(session_state::lost, false);
  if (client_->reachable) client_->begin_session();
}

void memory_registry::end_abandoned() {
  std::lock_guard lock(client_->tree->mutex);
  client_->end_abandoned();
}

}  // namespace flock
