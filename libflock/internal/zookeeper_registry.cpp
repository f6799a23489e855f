#include "internal/zookeeper_registry.hpp"

#include <flock/task.hpp>

#include <zookeeper/zookeeper.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <condition_variable>
#include <cstdint>
#include <cstring>
#include <deque>
#include <limits>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace flock::internal {

namespace {

/// Before the next attempt where an attempt failed at once: a host name that means nothing, a root that is forbidden.
constexpr milliseconds pause_after_failure{1000};

/// How long a handle that is closed waits for answers to what is still open. A server that answers at all does so
/// within a round trip; for a silent one the stop of a node is not to be held up.
constexpr milliseconds wait_for_answers{250};

/// How often an entry is tried whose parent vanishes, as empty containers do, between our making the two.
constexpr int create_tries = 5;

enum class effect { reads, changes };

error_code code_of(int rc, effect e) {
  switch (rc) {
    case ZNONODE:
      return error_code::not_found;
    case ZNODEEXISTS:
    case ZBADVERSION:
    case ZNOTEMPTY:
      return error_code::conflict;
    case ZNOAUTH:
    case ZAUTHFAILED:
    case ZINVALIDACL:
    case ZNOCHILDRENFOREPHEMERALS:
    case ZTHROTTLEDOP:
      return error_code::refused;
    case ZBADARGUMENTS:
      return error_code::bad_argument;
    case ZINVALIDSTATE:
      return error_code::session_lost;
    case ZCLOSING:
      return error_code::shutting_down;
    case ZCONNECTIONLOSS:
    case ZOPERATIONTIMEOUT:
    case ZSESSIONEXPIRED:
    case ZSESSIONMOVED:
      return e == effect::changes ? error_code::maybe_done : error_code::session_lost;
    default:
      return error_code::io;
  }
}

error explain(int rc, const std::string& path, effect e) { return error{code_of(rc, e), path + ": " + zerror(rc)}; }

/// What a call came to: the parts that it has.
struct reply {
  int rc = ZOK;
  std::string data;
  Stat stat{};
  std::vector<std::string> names;
};

using replied = std::function<void(reply)>;

/// Whether a server said so, and not the client itself.
bool is_from_server(int rc) { return rc == ZOK || (rc < ZAPIERROR && rc != ZCLOSING && rc != ZSESSIONEXPIRED); }

bool is_path(const std::string& path) {
  return path == "/" || (path.starts_with('/') && !path.ends_with('/') && path.find("//") == std::string::npos);
}

std::string parent_of(const std::string& path) {
  auto slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

/// Where the client's threads leave what they were told.
class sink {
 public:
  virtual ~sink() = default;
  virtual void post(task job) = 0;
  virtual void session_event(std::uint64_t session, int zoo_state) = 0;
  virtual void watch_event(std::uint64_t session, const std::string& path) = 0;
  virtual void call_ended(std::uint64_t session, std::uint64_t call, reply r) = 0;
};

/// A handle of the C client, which has one session in its life. Its callbacks copy what they get, post it to the sink's
/// thread and return, for they hold up all others.
class client {
 public:
  /// \param resumed  the session to ask for; null: a new one
  client(sink& to, std::uint64_t number, const zookeeper_options& o, const clientid_t* resumed)
      : to_(to), number_(number) {
    // The client would write to stderr; the registry logs what matters.
    zoo_set_debug_level(static_cast<ZooLogLevel>(0));
    handle_ =
        zookeeper_init(o.servers.c_str(), on_session, static_cast<int>(o.session_timeout.count()), resumed, this, 0);
    if (handle_ == nullptr || o.auth.empty()) return;
    auto colon = o.auth.find(':');
    auto secret = o.auth.substr(colon + 1);
    zoo_add_auth(handle_, o.auth.substr(0, colon).c_str(), secret.c_str(), static_cast<int>(secret.size()), nullptr,
                 nullptr);
  }
  client(const client&) = delete;
  client& operator=(const client&) = delete;
  /// Ends the session if there is a connection. What is still open is not answered; see abandon().
  ~client() {
    if (handle_ == nullptr) return;
    wait_until_nothing_is_open();
    zookeeper_close(handle_);
  }

  bool is_open() const { return handle_ != nullptr; }
  bool is_connected() const { return zoo_state(handle_) == ZOO_CONNECTED_STATE; }
  std::uint64_t number() const { return number_; }
  std::int64_t session() const { return zoo_client_id(handle_)->client_id; }
  clientid_t identity() const { return *zoo_client_id(handle_); }
  milliseconds session_timeout() const { return milliseconds(zoo_recv_timeout(handle_)); }
  std::string server() const {
    const char* name = zoo_get_current_server(handle_);
    return name == nullptr ? "" : name;
  }

  void create(const std::string& path, const std::string& data, int mode, const ACL_vector& acl, time_point now,
              replied done) {
    auto& c = open_call(now, std::move(done));
    begun(c,
          zoo_acreate2(handle_, path.c_str(), data.data(), static_cast<int>(data.size()), &acl, mode, on_created, &c));
  }
  void exists(const std::string& path, bool watch, time_point now, replied done) {
    auto& c = open_call(now, std::move(done));
    begun(c, zoo_awexists(handle_, path.c_str(), watch ? on_change : nullptr, this, on_stat, &c));
  }
  void get(const std::string& path, bool watch, time_point now, replied done) {
    auto& c = open_call(now, std::move(done));
    begun(c, zoo_awget(handle_, path.c_str(), watch ? on_change : nullptr, this, on_data, &c));
  }
  void children(const std::string& path, bool watch, time_point now, replied done) {
    auto& c = open_call(now, std::move(done));
    begun(c, zoo_awget_children(handle_, path.c_str(), watch ? on_change : nullptr, this, on_names, &c));
  }
  void set(const std::string& path, const std::string& data, int version, time_point now, replied done) {
    auto& c = open_call(now, std::move(done));
    begun(c, zoo_aset(handle_, path.c_str(), data.data(), static_cast<int>(data.size()), version, on_stat, &c));
  }
  void remove(const std::string& path, int version, time_point now, replied done) {
    auto& c = open_call(now, std::move(done));
    begun(c, zoo_adelete(handle_, path.c_str(), version, on_void, &c));
  }

  time_point made_at(std::uint64_t id) const { return calls_.at(id).made; }

  /// Answers a call.
  void finish(std::uint64_t id, reply r) {
    auto ended = calls_.extract(id);
    if (ended.mapped().done) ended.mapped().done(std::move(r));
  }

  /// Answers all open calls with this. They stay in the table: the client still holds their addresses.
  void abandon(int rc) {
    for (auto& [id, c] : calls_) {
      if (auto done = std::exchange(c.done, nullptr)) done(reply{.rc = rc});
    }
  }

 private:
  struct call {
    client& through;
    std::uint64_t id;
    time_point made;
    replied done;
  };

  call& open_call(time_point now, replied done) {
    {
      std::lock_guard lock(open_mutex_);
      ++open_;
    }
    auto id = ++last_call_;
    return calls_.emplace(id, call{*this, id, now, std::move(done)}).first->second;
  }

  /// A call that the client did not take has no callback.
  void begun(const call& c, int rc) {
    if (rc == ZOK) return;
    one_less_open();
    finish(c.id, reply{.rc = rc});
  }

  void one_less_open() {
    std::lock_guard lock(open_mutex_);
    if (--open_ == 0) none_open_.notify_one();
  }

  /// zookeeper_close() hands what is open to its completion thread, which may have seen by then that it is to end: with
  /// threads, nobody else ends those calls or frees their memory (zookeeper.c of 3.8 and later: destroy(), where
  /// process_async() is false).
  void wait_until_nothing_is_open() {
    std::unique_lock lock(open_mutex_);
    none_open_.wait_for(lock, wait_for_answers, [this] { return open_ == 0; });
  }

  static void end(const void* data, reply r) {
    const auto& c = *static_cast<const call*>(data);
    c.through.one_less_open();
    c.through.to_.post([&to = c.through.to_, session = c.through.number_, id = c.id, r = std::move(r)]() mutable {
      to.call_ended(session, id, std::move(r));
    });
  }

  static void on_void(int rc, const void* data) { end(data, reply{.rc = rc}); }
  static void on_stat(int rc, const Stat* stat, const void* data) {
    end(data, reply{.rc = rc, .data = {}, .stat = rc == ZOK ? *stat : Stat{}});
  }
  static void on_created(int rc, const char*, const Stat* stat, const void* data) { on_stat(rc, stat, data); }
  static void on_data(int rc, const char* bytes, int size, const Stat* stat, const void* data) {
    // An entry that was made without data has the size -1.
    auto text = rc == ZOK && size > 0 ? std::string(bytes, static_cast<std::size_t>(size)) : std::string();
    end(data, reply{.rc = rc, .data = std::move(text), .stat = rc == ZOK ? *stat : Stat{}});
  }
  static void on_names(int rc, const String_vector* names, const void* data) {
    reply r{.rc = rc};
    if (rc == ZOK) r.names.assign(names->data, names->data + names->count);
    end(data, std::move(r));
  }

  static void on_session(zhandle_t*, int type, int state, const char*, void* context) {
    if (type != ZOO_SESSION_EVENT) return;
    auto& from = *static_cast<client*>(context);
    from.to_.post([&to = from.to_, session = from.number_, state] { to.session_event(session, state); });
  }
  static void on_change(zhandle_t*, int type, int, const char* path, void* context) {
    // Watchers are told of every change of the session as well.
    if (type == ZOO_SESSION_EVENT || type == ZOO_NOTWATCHING_EVENT) return;
    auto& from = *static_cast<client*>(context);
    from.to_.post(
        [&to = from.to_, session = from.number_, where = std::string(path)] { to.watch_event(session, where); });
  }

  sink& to_;
  const std::uint64_t number_;
  zhandle_t* handle_ = nullptr;
  std::uint64_t last_call_ = 0;
  std::mutex open_mutex_;  ///< guards open_
  std::condition_variable none_open_;
  std::size_t open_ = 0;                 ///< calls that the client holds
  std::map<std::uint64_t, call> calls_;  ///< their addresses are the client's contexts, so they end after it
};

/// One thread does everything here: calls, what the client's callbacks post, timers, answers and reports. So there is
/// nothing to lock but its queue and the figures.
class zookeeper_registry final : public registry, private sink {
 public:
  zookeeper_registry(const clock& time, zookeeper_options o) : time_(time), options_(std::move(o)) {
    while (options_.root.ends_with('/')) options_.root.pop_back();
    thread_ = std::thread([this] { run(); });
  }
  ~zookeeper_registry() override { stop(); }

  void start(listener& to) override {
    post([this, &to] {
      listener_ = &to;
      connect();
    });
  }

  void create(const std::string& path, std::string data, kind k, answer<registry_entry> done) override {
    const auto size = data.size();
    perform(path, size, std::move(done), [this, path, data = std::move(data), k](answer<registry_entry> to) {
      make(full(path), data, mode_of(k), create_tries, answer_entry(path, effect::changes, data, std::move(to)));
    });
  }

  void get(const std::string& path, bool watch, answer<registry_entry> done) override {
    perform(path, 0, std::move(done), [this, path, watch](answer<registry_entry> to) {
      read(path, watch, &client::get, answer_entry(path, effect::reads, std::nullopt, std::move(to)));
    });
  }

  void children(const std::string& path, bool watch, answer<std::vector<std::string>> done) override {
    perform(path, 0, std::move(done), [this, path, watch](answer<std::vector<std::string>> to) {
      read(path, watch, &client::children, [path, to = std::move(to)](reply r) {
        if (r.rc != ZOK) return to(explain(r.rc, path, effect::reads));
        std::sort(r.names.begin(), r.names.end());
        to(std::move(r.names));
      });
    });
  }

  void set(const std::string& path, std::string data, std::int64_t version, answer<registry_entry> done) override {
    const auto size = data.size();
    perform(path, size, std::move(done), [this, path, data = std::move(data), version](answer<registry_entry> to) {
      client_->set(full(path), data, static_cast<int>(version), time_.now(),
                   answer_entry(path, effect::changes, data, std::move(to)));
    });
  }

  void remove(const std::string& path, std::int64_t version, answer<void> done) override {
    perform(path, 0, std::move(done), [this, path, version](answer<void> to) {
      client_->remove(full(path), static_cast<int>(version), time_.now(), [path, to = std::move(to)](reply r) {
        to(r.rc == ZOK ? result<void>() : explain(r.rc, path, effect::changes));
      });
    });
  }

  statistics stats() const override {
    std::lock_guard lock(mutex_);
    return figures_;
  }

  void stop() override {
    assert(std::this_thread::get_id() != thread_.get_id());
    if (!thread_.joinable()) return;
    {
      std::lock_guard lock(mutex_);
      closed_ = true;  // what is in the queue is done before the end
    }
    wake_.notify_one();
    thread_.join();
  }

 private:
  // The thread.

  void run() {
    while (auto job = next_job()) {
      job();
      tick(time_.now());
    }
    if (client_) client_->abandon(ZCLOSING);
    client_.reset();
  }

  /// \returns nothing when all has been done and it was closed
  task next_job() {
    std::unique_lock lock(mutex_);
    while (queue_.empty() && !closed_) {
      auto due = next_tick();
      if (!due) {
        wake_.wait(lock);
      } else if (wake_.wait_until(lock, *due) == std::cv_status::timeout) {
        return [] {};
      }
    }
    if (queue_.empty()) return {};
    auto job = std::move(queue_.front());
    queue_.pop_front();
    return job;
  }

  void post(task job) override { accept(job); }

  /// \returns false if it is closed; the job is left alone
  bool accept(task& job) {
    {
      std::lock_guard lock(mutex_);
      if (closed_) return false;
      queue_.push_back(std::move(job));
    }
    wake_.notify_one();
    return true;
  }

  // Calls.

  template <class Answer, class F> void perform(const std::string& path, std::size_t size, Answer done, F operation) {
    assert(is_path(path));
    task job = [this, path, size, done, operation = std::move(operation)] {
      if (state_ != session_state::ready) return done(error{error_code::session_lost, path + ": no session"});
      if (size > max_data)
        return done(error{error_code::refused, path + ": " + std::to_string(size) + " bytes are too large"});
      count([](statistics& s) { ++s.operations; });
      operation(done);
    };
    if (!accept(job)) done(error{error_code::shutting_down, path + ": the registry has stopped"});
  }

  /// As the client's create, but makes the parents that are missing. All up to the root are persistent.
  void make(const std::string& where, const std::string& data, int mode, int tries, replied done) {
    auto created = [this, where, data, mode, tries, done](reply r) {
      if (r.rc != ZNONODE || tries == 1) return done(std::move(r));
      auto parent = parent_of(where);
      int parent_mode = parent.size() > options_.root.size() ? ZOO_CONTAINER : ZOO_PERSISTENT;
      make(parent, "", parent_mode, create_tries, [this, where, data, mode, tries, done](reply made) {
        if (made.rc != ZOK && made.rc != ZNODEEXISTS) return done(std::move(made));
        make(where, data, mode, tries - 1, done);
      });
    };
    client_->create(where, data, mode, acl_of(where), time_.now(), std::move(created));
  }

  using read_call = void (client::*)(const std::string&, bool, time_point, replied);

  /// ZooKeeper sets no watch when what is read does not exist; so, then, existence is watched.
  void read(const std::string& path, bool watch, read_call how, replied done) {
    auto found = [this, path, watch, how, done](reply r) {
      if (r.rc != ZNONODE || !watch) return done(std::move(r));
      client_->exists(full(path), true, time_.now(), [this, path, how, done](reply now) {
        if (now.rc != ZOK) return done(std::move(now));
        read(path, true, how, done);  // it appeared in between
      });
    };
    (*client_.*how)(full(path), watch, time_.now(), std::move(found));
  }

  replied answer_entry(std::string path, effect e, std::optional<std::string> data, answer<registry_entry> to) const {
    return [this, path = std::move(path), e, data = std::move(data), to = std::move(to)](reply r) {
      if (r.rc != ZOK) return to(explain(r.rc, path, e));
      // Containers have this owner, where others have none or a session.
      constexpr auto container = std::numeric_limits<std::int64_t>::min();
      auto owner = r.stat.ephemeralOwner;
      bool ephemeral = owner != 0 && owner != container;
      to(registry_entry{data ? *data : std::move(r.data), r.stat.version, r.stat.czxid, ephemeral,
                        ephemeral && owner == client_->session()});
    };
  }

  std::string full(const std::string& path) const {
    if (path != "/") return options_.root + path;
    return options_.root.empty() ? "/" : options_.root;
  }

  std::string relative(const std::string& where) const {
    return where.size() > options_.root.size() ? where.substr(options_.root.size()) : "/";
  }

  /// What is above the root belongs to all flocks.
  const ACL_vector& acl_of(const std::string& where) const {
    bool ours = !options_.auth.empty() && where.size() >= options_.root.size();
    return ours ? ZOO_CREATOR_ALL_ACL : ZOO_OPEN_ACL_UNSAFE;
  }

  static int mode_of(kind k) {
    switch (k) {
      case kind::persistent:
        return ZOO_PERSISTENT;
      case kind::ephemeral:
        return ZOO_EPHEMERAL;
      case kind::container:
        return ZOO_CONTAINER;
    }
    return ZOO_PERSISTENT;
  }

  void call_ended(std::uint64_t session, std::uint64_t call, reply r) override {
    if (!is_current(session)) return;
    if (is_from_server(r.rc)) contact_ = std::max(contact_, client_->made_at(call));
    client_->finish(call, std::move(r));
  }

  void watch_event(std::uint64_t session, const std::string& path) override {
    if (!is_current(session) || state_ == session_state::lost) return;
    count([](statistics& s) { ++s.watches_fired; });
    listener_->changed(relative(path));
  }

  // The session.

  bool is_current(std::uint64_t session) const { return client_ && client_->number() == session; }

  void connect() {
    is_member_ = is_probing_ = false;
    retry_at_.reset();
    session_timeout_ = options_.session_timeout;
    move_to(session_state::connecting);
    open(nullptr);
    if (client_) complain_at_ = time_.now() + options_.session_timeout;
  }

  void open(const clientid_t* resumed) {
    client_ = std::make_unique<client>(static_cast<sink&>(*this), ++last_client_, options_, resumed);
    if (client_->is_open()) return;
    fail("cannot connect to " + options_.servers + ": " + std::strerror(errno));
    client_.reset();
    retry_at_ = time_.now() + pause_after_failure;
  }

  void reconnect() {
    client_->abandon(ZCONNECTIONLOSS);
    client_.reset();
    connect();
  }

  /// For the session that we gave up. Not with the handle that had it: servers that have lost their data refuse one
  /// that has seen later changes than they have, for ever. Source: ZooKeeperServer.processConnectRequest,
  /// getLastZxidSeen
  void ask_for_lost_session() {
    const auto lost = client_->identity();
    client_.reset();
    open(&lost);
  }

  void session_event(std::uint64_t session, int zoo_state) override {
    if (!is_current(session)) return;
    if (zoo_state == ZOO_CONNECTED_STATE) {
      connected();
    } else if (zoo_state == ZOO_EXPIRED_SESSION_STATE) {
      lose("the server ended it");
      reconnect();
    } else if (zoo_state == ZOO_AUTH_FAILED_STATE) {
      lose("the authentication failed");
      retry_at_ = time_.now() + pause_after_failure;
    } else if (state_ == session_state::ready) {
      log("warning", "registry: no connection; looking for another server");
      move_to(session_state::suspended);
    }
  }

  void connected() {
    complain_at_.reset();
    session_timeout_ = client_->session_timeout();
    count([&](statistics& s) {
      s.server = client_->server();
      s.session = static_cast<std::uint64_t>(client_->session());
    });
    if (state_ == session_state::lost) {
      // The server kept the session that we gave up: what it holds must go, and nobody may take it for alive.
      reconnect();
    } else if (is_member_) {
      log("info", "registry: connected again");
      move_to(session_state::ready);
      probe();
    } else {
      find_root();
    }
  }

  /// A look first, for to make an entry that exists costs all servers a write, in a herd of nodes that start.
  void find_root() {
    auto root = full("/");
    client_->exists(root, false, time_.now(), [this, root](reply r) {
      if (r.rc != ZNONODE) return root_found(r.rc);
      make(root, "", ZOO_PERSISTENT, create_tries,
           [this](reply made) { root_found(made.rc == ZNODEEXISTS ? ZOK : made.rc); });
    });
  }

  void root_found(int rc) {
    if (rc == ZOK) {
      is_member_ = true;
      log("info", "registry: new session");
      move_to(session_state::ready, true);
    } else if (is_from_server(rc)) {
      fail(explain(rc, options_.root, effect::changes).what);
      retry_at_ = time_.now() + pause_after_failure;
    }  // else it is tried at the next connection
  }

  /// Our own judgement, or the server's. Ephemeral entries are taken for gone from now on.
  void lose(const std::string& why) {
    fail("the session is lost: " + why);
    move_to(session_state::lost);
    client_->abandon(ZCONNECTIONLOSS);
  }

  void move_to(session_state now, bool fresh = false) {
    if (now == state_) return;
    state_ = now;
    listener_->session_changed(now, fresh);
  }

  // Time. The server ends a session that it has heard nothing from for session_timeout. It heard us at the latest when
  // the last call was made that it answered; so the session surely lives until session_timeout after that, and no
  // longer than that do we rely on it.

  static constexpr int probes_per_timeout = 3;

  bool has_session() const { return state_ == session_state::ready || state_ == session_state::suspended; }
  bool may_probe() const { return state_ == session_state::ready && !is_probing_; }

  void tick(time_point now) {
    if (has_session() && now >= contact_ + session_timeout_) {
      lose("no answer for " + format_duration(session_timeout_));
      if (client_->is_connected())
        reconnect();
      else
        ask_for_lost_session();
    } else if (may_probe() && now >= contact_ + session_timeout_ / probes_per_timeout) {
      probe();
    }
    if (complain_at_ && now >= *complain_at_) {
      complain_at_.reset();
      fail("no answer from " + options_.servers);
    }
    if (retry_at_ && now >= *retry_at_) retry();
  }

  std::optional<time_point> next_tick() const {
    std::optional<time_point> first = retry_at_;
    auto consider = [&](time_point t) { first = first ? std::min(*first, t) : t; };
    if (complain_at_) consider(*complain_at_);
    if (has_session()) consider(contact_ + session_timeout_);
    if (may_probe()) consider(contact_ + session_timeout_ / probes_per_timeout);
    return first;
  }

  void probe() {
    is_probing_ = true;
    client_->exists(full("/"), false, time_.now(), [this](reply) { is_probing_ = false; });
  }

  void retry() {
    retry_at_.reset();
    if (client_ && state_ == session_state::connecting)
      find_root();
    else if (client_)
      reconnect();
    else
      connect();
  }

  // Words.

  void log(std::string_view level, const std::string& text) const {
    if (options_.log) options_.log(level, text);
  }

  void fail(const std::string& why) {
    log("warning", "registry: " + why);
    count([&](statistics& s) { s.last_error = why; });
  }

  template <class F> void count(F change) {
    std::lock_guard lock(mutex_);
    change(figures_);
  }

  const clock& time_;
  zookeeper_options options_;

  mutable std::mutex mutex_;  ///< guards the next four
  std::condition_variable wake_;
  std::deque<task> queue_;
  bool closed_ = false;
  statistics figures_;

  // All below belongs to the thread.
  listener* listener_ = nullptr;
  session_state state_ = session_state::connecting;
  std::unique_ptr<client> client_;
  std::uint64_t last_client_ = 0;
  bool is_member_ = false;  ///< its session has been ready
  bool is_probing_ = false;
  milliseconds session_timeout_{};
  time_point contact_{};
  std::optional<time_point> retry_at_;
  std::optional<time_point> complain_at_;  ///< that no server answers

  std::thread thread_;
};

}  // namespace

std::unique_ptr<registry> make_zookeeper_registry(const clock& time, zookeeper_options o) {
  return std::make_unique<zookeeper_registry>(time, std::move(o));
}

}  // namespace flock::internal
