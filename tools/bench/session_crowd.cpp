#include "tools/bench/session_crowd.hpp"

#include "tools/bench/jute.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string_view>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

namespace flock::bench {

namespace {

// Source: zookeeper.jute, ZooDefs.java, KeeperException.java
namespace op {
constexpr std::int32_t remove = 2, exists = 3, get = 4, set = 5, children = 12, ping = 11, create = 15,
                       create_container = 19, close = -11;
}
constexpr std::int32_t watch_event = -1, ping_reply = -2;
constexpr std::int32_t no_node = -101, bad_version = -103, node_exists = -110, not_empty = -111;
constexpr std::int32_t all_permissions = 31;

constexpr std::int32_t session_timeout_ms = 60'000;
constexpr auto ping_every = std::chrono::seconds(15);

std::string parent_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

error failure(std::int32_t code, const std::string& path) {
  switch (code) {
    case no_node:
      return {error_code::not_found, "no entry " + path};
    case node_exists:
    case bad_version:
    case not_empty:
      return {error_code::conflict, path + ": " + std::to_string(code)};
    default:
      return {error_code::io, path + ": " + std::to_string(code)};
  }
}

}  // namespace

struct session_crowd::loop {
  loop() : poll(::epoll_create1(EPOLL_CLOEXEC)) {}
  ~loop() { ::close(poll); }

  void run(const std::stop_token& stop);

  const int poll;
  int port = 0;
  std::atomic<std::uint64_t> operations = 0, bytes = 0, watch_events = 0;
  std::atomic<bool> broken = false;
  std::mutex mutex;  // guards all below
  std::map<std::uint64_t, std::shared_ptr<session>> sessions;
  std::uint64_t next = 1;
  std::jthread thread;
};

class session_crowd::session : public std::enable_shared_from_this<session_crowd::session> {
 public:
  session(loop& of, std::uint64_t number, std::string root) : loop_(of), number_(number), root_(std::move(root)) {}
  ~session() {
    if (fd_ >= 0) ::close(fd_);
  }

  void connect(registry::listener& to) {
    listener_ = &to;
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    at.sin_port = htons(static_cast<std::uint16_t>(loop_.port));
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (::connect(fd_, reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0) return broke();
    epoll_event wanted{};
    wanted.events = EPOLLIN;
    wanted.data.u64 = number_;
    ::epoll_ctl(loop_.poll, EPOLL_CTL_ADD, fd_, &wanted);
    write(jute_writer()
              .number(0)
              .long_number(0)
              .number(session_timeout_ms)
              .long_number(0)
              .text(std::string(16, '\0'))
              .str());
  }

  void ping() {
    std::lock_guard lock(mutex_);
    if (id_ != 0 && listener_) write(jute_writer().number(ping_reply).number(op::ping).str());
  }

  /// Its entries vanish now. Nothing is answered or reported afterwards.
  void close() {
    std::deque<reply> dropped;
    {
      std::lock_guard lock(mutex_);
      if (!std::exchange(listener_, nullptr)) return;
      dropped.swap(waiting_);
      write(jute_writer().number(0).number(op::close).str());
      ++loop_.operations;
    }
    jute_reader nothing({});
    for (auto& each : dropped) each(not_ready, nothing);
  }

  /// Reads what has come. \returns false at the end of the connection
  bool take() {
    std::array<char, 64 << 10> buffer;
    const auto got = ::recv(fd_, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return true;
    if (got <= 0) return false;
    loop_.bytes += static_cast<std::uint64_t>(got);
    in_.append(buffer.data(), static_cast<std::size_t>(got));
    std::string_view left = in_;
    while (left.size() >= 4) {
      const auto size = static_cast<std::size_t>(jute_reader(left).number());
      if (left.size() < 4 + size) break;
      arrived(left.substr(4, size));
      left.remove_prefix(4 + size);
    }
    in_.erase(0, in_.size() - left.size());
    return true;
  }

  void broke() {
    std::lock_guard lock(mutex_);
    if (listener_) loop_.broken = true;
  }

  using reply = std::function<void(std::int32_t failed, jute_reader& body)>;
  static constexpr std::int32_t not_ready = 1;  // no code of ZooKeeper's

  void ask(std::int32_t what, const jute_writer& body, reply done) {
    {
      std::lock_guard lock(mutex_);
      if (id_ != 0 && listener_) {
        waiting_.push_back(std::move(done));
        ++loop_.operations;
        return write(jute_writer().number(++xid_).number(what).str() + body.str());
      }
    }
    jute_reader nothing({});
    done(not_ready, nothing);
  }

  /// As the real client: the parents that are missing are made as containers, when the entry could not be.
  void create(const std::string& path, const std::string& data, registry::kind k,
              registry::answer<registry_entry> done) {
    constexpr std::int32_t ephemeral = 1, container = 4;
    const auto flags = k == registry::kind::ephemeral ? ephemeral : k == registry::kind::container ? container : 0;
    jute_writer body;
    body.text(root_ + path).text(data).number(1).number(all_permissions).text("world").text("anyone").number(flags);
    ask(flags == container ? op::create_container : op::create, body,
        [self = shared_from_this(), path, data, k, done](std::int32_t failed, jute_reader& r) {
          if (failed == no_node) {
            return self->create(parent_of(path), "", registry::kind::container,
                                [self, path, data, k, done](const result<registry_entry>& made) {
                                  if (!made && made.error().code != error_code::conflict) return done(made.error());
                                  self->create(path, data, k, done);
                                });
          }
          if (failed) return done(self->why(failed, path));
          r.text();
          done(self->entry(r, data));
        });
  }

  void get(const std::string& path, bool watch, registry::answer<registry_entry> done) {
    ask(op::get, jute_writer().text(root_ + path).flag(watch),
        [self = shared_from_this(), path, watch, done](std::int32_t failed, jute_reader& r) {
          if (failed == no_node && watch)
            return self->wait_for(
                path, [self, path, done] { self->get(path, true, done); }, done);
          if (failed) return done(self->why(failed, path));
          auto data = r.text();
          done(self->entry(r, std::move(data)));
        });
  }

  void children(const std::string& path, bool watch, registry::answer<registry_list> done) {
    ask(op::children, jute_writer().text(root_ + path).flag(watch),
        [self = shared_from_this(), path, watch, done](std::int32_t failed, jute_reader& r) {
          if (failed == no_node && watch)
            return self->wait_for(
                path, [self, path, done] { self->children(path, true, done); }, done);
          if (failed) return done(self->why(failed, path));
          done(list(r));
        });
  }

  void set(const std::string& path, const std::string& data, std::int64_t version,
           registry::answer<registry_entry> done) {
    ask(op::set, jute_writer().text(root_ + path).text(data).number(static_cast<std::int32_t>(version)),
        [self = shared_from_this(), path, data, done](std::int32_t failed, jute_reader& r) {
          failed ? done(self->why(failed, path)) : done(self->entry(r, data));
        });
  }

  void remove(const std::string& path, std::int64_t version, registry::answer<void> done) {
    ask(op::remove, jute_writer().text(root_ + path).number(static_cast<std::int32_t>(version)),
        [self = shared_from_this(), path, done](std::int32_t failed, jute_reader&) {
          done(failed ? result<void>(self->why(failed, path)) : result<void>());
        });
  }

 private:
  /// Only this leaves a watch on what is not there. \param again  it came meanwhile
  template <class T> void wait_for(const std::string& path, std::function<void()> again, registry::answer<T> done) {
    ask(op::exists, jute_writer().text(root_ + path).flag(true),
        [path, again = std::move(again), done = std::move(done)](std::int32_t failed, jute_reader&) {
          failed ? done(why(failed, path)) : again();
        });
  }

  static error why(std::int32_t failed, const std::string& path) {
    return failed == not_ready ? error{error_code::session_lost, "no session"} : failure(failed, path);
  }

  /// From a Stat.
  registry_entry entry(jute_reader& r, std::string data) const {
    registry_entry e;
    e.data = std::move(data);
    e.created = r.long_number();
    for (int i = 0; i < 3; ++i) r.long_number();  // changed, and both times
    e.version = r.number();
    for (int i = 0; i < 2; ++i) r.number();  // versions of children and access
    const auto owner = r.long_number();
    e.ephemeral = owner != 0;
    e.ours = owner == id_;
    return e;
  }

  static registry_list list(jute_reader& r) {
    registry_list l;
    l.names = r.texts();
    std::sort(l.names.begin(), l.names.end());
    l.created = r.long_number();
    for (int i = 0; i < 3; ++i) r.long_number();  // changed, and both times
    r.number();                                   // version of its data
    l.changes = r.number();
    return l;
  }

  void arrived(std::string_view message) {
    jute_reader r(message);
    if (id_ == 0) return accepted(r);
    const auto xid = r.number();
    r.long_number();
    const auto failed = r.number();
    if (xid == ping_reply) return;
    if (xid == watch_event) return changed(r);
    reply done;
    {
      std::lock_guard lock(mutex_);
      if (waiting_.empty()) return;  // it was closed
      done = std::move(waiting_.front());
      waiting_.pop_front();
    }
    done(failed, r);
  }

  void accepted(jute_reader& r) {
    r.number();
    r.number();
    {
      std::lock_guard lock(mutex_);
      id_ = r.long_number();
    }
    tell([](registry::listener& l) { l.session_changed(session_state::ready, true); });
  }

  void changed(jute_reader& r) {
    ++loop_.watch_events;
    r.number();
    r.number();
    const auto path = r.text();
    if (path.starts_with(root_)) tell([&](registry::listener& l) { l.changed(path.substr(root_.size())); });
  }

  /// The listener only posts, so it may be told with the lock that ends its time.
  template <class F> void tell(F what) {
    std::lock_guard lock(mutex_);
    if (listener_) what(*listener_);
  }

  /// Blocks while the server does not read: on one machine it does soon.
  void write(const std::string& message) {
    const auto frame = jute_writer().text(message).str();
    loop_.bytes += frame.size();
    for (std::string_view left = frame; !left.empty();) {
      const auto done = ::send(fd_, left.data(), left.size(), MSG_NOSIGNAL);
      if (done <= 0) {
        loop_.broken = true;
        return;
      }
      left.remove_prefix(static_cast<std::size_t>(done));
    }
  }

  loop& loop_;
  const std::uint64_t number_;
  const std::string root_;
  int fd_ = -1;
  std::string in_;    ///< of the loop's thread
  std::mutex mutex_;  // guards all below
  registry::listener* listener_ = nullptr;
  std::atomic<std::int64_t> id_ = 0;
  std::int32_t xid_ = 0;
  std::deque<reply> waiting_;  ///< a server answers in order
};

void session_crowd::loop::run(const std::stop_token& stop) {
  auto next_ping = std::chrono::steady_clock::now() + ping_every;
  while (!stop.stop_requested()) {
    std::array<epoll_event, 256> ready;
    const int count = ::epoll_wait(poll, ready.data(), static_cast<int>(ready.size()), 100);
    for (int i = 0; i < count; ++i) {
      std::shared_ptr<session> one;
      {
        std::lock_guard lock(mutex);
        const auto at = sessions.find(ready[static_cast<std::size_t>(i)].data.u64);
        if (at == sessions.end()) continue;
        one = at->second;
      }
      if (one->take()) continue;
      one->broke();
      std::lock_guard lock(mutex);
      std::erase_if(sessions, [&](const auto& entry) { return entry.second == one; });
    }
    if (std::chrono::steady_clock::now() < next_ping) continue;
    next_ping += ping_every;
    std::vector<std::shared_ptr<session>> all;
    {
      std::lock_guard lock(mutex);
      for (const auto& [number, each] : sessions) all.push_back(each);
    }
    for (const auto& each : all) each->ping();
  }
}

namespace {

template <class Session> class crowd_registry final : public registry {
 public:
  explicit crowd_registry(std::shared_ptr<Session> s) : session_(std::move(s)) {}
  ~crowd_registry() override { session_->close(); }

  void start(listener& to) override { session_->connect(to); }
  void create(const std::string& path, std::string data, kind k, answer<registry_entry> done) override {
    session_->create(path, data, k, std::move(done));
  }
  void get(const std::string& path, bool watch, answer<registry_entry> done) override {
    session_->get(path, watch, std::move(done));
  }
  void children(const std::string& path, bool watch, answer<registry_list> done) override {
    session_->children(path, watch, std::move(done));
  }
  void set(const std::string& path, std::string data, std::int64_t version, answer<registry_entry> done) override {
    session_->set(path, data, version, std::move(done));
  }
  void remove(const std::string& path, std::int64_t version, answer<void> done) override {
    session_->remove(path, version, std::move(done));
  }
  statistics stats() const override { return {}; }
  void stop() override { session_->close(); }

 private:
  std::shared_ptr<Session> session_;
};

}  // namespace

session_crowd::session_crowd(int port) : loop_(std::make_unique<loop>()) {
  loop_->port = port;
  loop_->thread = std::jthread([this](const std::stop_token& stop) { loop_->run(stop); });
}

session_crowd::~session_crowd() {
  loop_->thread.request_stop();
  loop_->thread.join();
}

std::unique_ptr<registry> session_crowd::make_session(const std::string& root) {
  std::lock_guard lock(loop_->mutex);
  const auto number = loop_->next++;
  auto made = std::make_shared<session>(*loop_, number, root);
  loop_->sessions.emplace(number, made);
  return std::make_unique<crowd_registry<session>>(std::move(made));
}

session_crowd::counts session_crowd::so_far() const { return {loop_->operations, loop_->bytes, loop_->watch_events}; }

bool session_crowd::has_broken() const { return loop_->broken; }

}  // namespace flock::bench
