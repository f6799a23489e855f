#include "libflock/zookeeper/zookeeper_registry.hpp"

#include "libflock/seams/task.hpp"
#include "libflock/zookeeper/zookeeper_client.hpp"

#include <zookeeper/zookeeper_version.h>

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

[[maybe_unused]] bool is_path(const std::string& path) {  // by assertions only
  return path == "/" || (path.starts_with('/') && !path.ends_with('/') && path.find("//") == std::string::npos);
}

std::string parent_of(const std::string& path) {
  auto slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

/// One thread does everything here: calls, what the client's callbacks post, timers, answers and reports. So there is
/// nothing to lock but its queue and the figures.
class zookeeper_registry final : public registry, private zookeeper_sink {
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
      read(path, watch, &zookeeper_client::get, answer_entry(path, effect::reads, std::nullopt, std::move(to)));
    });
  }

  void children(const std::string& path, bool watch, answer<registry_list> done) override {
    perform(path, 0, std::move(done), [this, path, watch](answer<registry_list> to) {
      read(path, watch, &zookeeper_client::children, [path, to = std::move(to)](zookeeper_reply r) {
        if (r.rc != ZOK) return to(explain(r.rc, path, effect::reads));
        std::sort(r.names.begin(), r.names.end());
        to(registry_list{std::move(r.names), r.stat.czxid, r.stat.cversion});
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
      client_->remove(full(path), static_cast<int>(version), time_.now(),
                      [path, to = std::move(to)](zookeeper_reply r) {
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
  void make(const std::string& where, const std::string& data, int mode, int tries, zookeeper_client::replied done) {
    auto created = [this, where, data, mode, tries, done](zookeeper_reply r) {
      if (r.rc != ZNONODE || tries == 1) return done(std::move(r));
      auto parent = parent_of(where);
      int parent_mode = parent.size() > options_.root.size() ? ZOO_CONTAINER : ZOO_PERSISTENT;
      make(parent, "", parent_mode, create_tries, [this, where, data, mode, tries, done](zookeeper_reply made) {
        if (made.rc != ZOK && made.rc != ZNODEEXISTS) return done(std::move(made));
        make(where, data, mode, tries - 1, done);
      });
    };
    client_->create(where, data, mode, acl_of(where), time_.now(), std::move(created));
  }

  using read_call = void (zookeeper_client::*)(const std::string&, bool, time_point, zookeeper_client::replied);

  /// ZooKeeper sets no watch when what is read does not exist; so, then, existence is watched.
  void read(const std::string& path, bool watch, read_call how, zookeeper_client::replied done) {
    auto found = [this, path, watch, how, done](zookeeper_reply r) {
      if (r.rc != ZNONODE || !watch) return done(std::move(r));
      client_->exists(full(path), true, time_.now(), [this, path, how, done](zookeeper_reply now) {
        if (now.rc != ZOK) return done(std::move(now));
        read(path, true, how, done);  // it appeared in between
      });
    };
    (*client_.*how)(full(path), watch, time_.now(), std::move(found));
  }

  zookeeper_client::replied answer_entry(std::string path, effect e, std::optional<std::string> data,
                                         answer<registry_entry> to) const {
    return [this, path = std::move(path), e, data = std::move(data), to = std::move(to)](zookeeper_reply r) {
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

  void call_ended(std::uint64_t session, std::uint64_t call, zookeeper_reply r) override {
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
    client_ = std::make_unique<zookeeper_client>(static_cast<zookeeper_sink&>(*this), ++last_client_, options_.servers,
                                                 options_.session_timeout, resumed);
    if (client_->is_open()) {
      if (!options_.auth.empty()) client_->add_auth(options_.auth);
      return;
    }
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
    client_->exists(root, false, time_.now(), [this, root](zookeeper_reply r) {
      if (r.rc != ZNONODE) return root_found(r.rc);
      make(root, "", ZOO_PERSISTENT, create_tries,
           [this](zookeeper_reply made) { root_found(made.rc == ZNODEEXISTS ? ZOK : made.rc); });
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
    client_->exists(full("/"), false, time_.now(), [this](zookeeper_reply) { is_probing_ = false; });
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
  std::unique_ptr<zookeeper_client> client_;
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

std::string zookeeper_version() { return ZOO_VERSION; }

}  // namespace flock::internal
