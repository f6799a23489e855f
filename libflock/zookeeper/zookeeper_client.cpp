#include "libflock/zookeeper/zookeeper_client.hpp"

#include <array>
#include <netdb.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <utility>

namespace flock::internal {

namespace {

/// How long a handle that is closed waits for answers to what is still open. A server that answers at all does so
/// within a round trip; for a silent one the stop of a node is not to be held up.
constexpr milliseconds wait_for_answers{250};

/// How long zookeeper_close() is given to hand over what is open. It needs microseconds, but its thread may have to
/// wait for a processor.
constexpr milliseconds wait_for_hand_over{100};

}  // namespace

bool is_from_server(int rc) { return rc == ZOK || (rc < ZAPIERROR && rc != ZCLOSING && rc != ZSESSIONEXPIRED); }

/// What the C client calls, on its completion thread.
struct zookeeper_client::callbacks {
  static void end(const void* data, zookeeper_reply r) {
    const auto& c = *static_cast<const call*>(data);
    c.through.ended(r.rc);
    c.through.to_.post([&to = c.through.to_, session = c.through.number_, id = c.id, r = std::move(r)]() mutable {
      to.call_ended(session, id, std::move(r));
    });
  }

  static void on_void(int rc, const void* data) { end(data, zookeeper_reply{.rc = rc}); }
  static void on_stat(int rc, const Stat* stat, const void* data) {
    end(data, zookeeper_reply{.rc = rc, .data = {}, .stat = rc == ZOK ? *stat : Stat{}});
  }
  static void on_created(int rc, const char*, const Stat* stat, const void* data) { on_stat(rc, stat, data); }
  static void on_data(int rc, const char* bytes, int size, const Stat* stat, const void* data) {
    // An entry that was made without data has the size -1.
    auto text = rc == ZOK && size > 0 ? std::string(bytes, static_cast<std::size_t>(size)) : std::string();
    end(data, zookeeper_reply{.rc = rc, .data = std::move(text), .stat = rc == ZOK ? *stat : Stat{}});
  }
  static void on_names(int rc, const String_vector* names, const Stat* stat, const void* data) {
    zookeeper_reply r{.rc = rc};
    if (rc == ZOK) {
      r.names.assign(names->data, names->data + names->count);
      r.stat = *stat;
    }
    end(data, std::move(r));
  }

  static void on_session(zhandle_t*, int type, int state, const char*, void* context) {
    if (type != ZOO_SESSION_EVENT) return;
    auto& from = *static_cast<zookeeper_client*>(context);
    from.to_.post([&to = from.to_, session = from.number_, state] { to.session_event(session, state); });
  }
  static void on_change(zhandle_t*, int type, int, const char* path, void* context) {
    // Watchers are told of every change of the session as well.
    if (type == ZOO_SESSION_EVENT || type == ZOO_NOTWATCHING_EVENT) return;
    auto& from = *static_cast<zookeeper_client*>(context);
    from.to_.post(
        [&to = from.to_, session = from.number_, where = std::string(path)] { to.watch_event(session, where); });
  }
};

zookeeper_client::zookeeper_client(zookeeper_sink& to, std::uint64_t number, const std::string& servers,
                                   milliseconds session_timeout, const clientid_t* resumed)
    : to_(to), number_(number) {
  // The client would write to stderr; the registry logs what matters.
  zoo_set_debug_level(static_cast<ZooLogLevel>(0));
  handle_ = zookeeper_init(servers.c_str(), callbacks::on_session, static_cast<int>(session_timeout.count()), resumed,
                           this, 0);
  // Otherwise it looks the servers' names up three times with each sign of life. After the loss of a connection it
  // still does.
  if (handle_ != nullptr) zoo_set_servers_resolution_delay(handle_, -1);
}

void zookeeper_client::add_auth(const std::string& auth) {
  auto colon = auth.find(':');
  auto secret = auth.substr(colon + 1);
  zoo_add_auth(handle_, auth.substr(0, colon).c_str(), secret.c_str(), static_cast<int>(secret.size()), nullptr,
               nullptr);
}

/// Not zoo_get_current_server(): all handles of a process write their answer into one buffer.
std::string zookeeper_client::server() const {
  sockaddr_storage at{};
  auto size = static_cast<socklen_t>(sizeof at);
  auto* address = reinterpret_cast<sockaddr*>(&at);
  if (zookeeper_get_connected_host(handle_, address, &size) == nullptr) return "";
  std::array<char, NI_MAXHOST> host{};
  std::array<char, NI_MAXSERV> port{};
  if (::getnameinfo(address, size, host.data(), host.size(), port.data(), port.size(),
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
    return "";
  const auto name = std::string(host.data());
  return (at.ss_family == AF_INET6 ? "[" + name + "]" : name) + ":" + port.data();
}

void zookeeper_client::create(const std::string& path, const std::string& data, int mode, const ACL_vector& acl,
                              time_point now, replied done) {
  auto& c = open_call(now, std::move(done));
  begun(c, zoo_acreate2(handle_, path.c_str(), data.data(), static_cast<int>(data.size()), &acl, mode,
                        callbacks::on_created, &c));
}

void zookeeper_client::exists(const std::string& path, bool watch, time_point now, replied done) {
  auto& c = open_call(now, std::move(done));
  begun(c, zoo_awexists(handle_, path.c_str(), watch ? callbacks::on_change : nullptr, this, callbacks::on_stat, &c));
}

void zookeeper_client::get(const std::string& path, bool watch, time_point now, replied done) {
  auto& c = open_call(now, std::move(done));
  begun(c, zoo_awget(handle_, path.c_str(), watch ? callbacks::on_change : nullptr, this, callbacks::on_data, &c));
}

void zookeeper_client::children(const std::string& path, bool watch, time_point now, replied done) {
  auto& c = open_call(now, std::move(done));
  begun(c, zoo_awget_children2(handle_, path.c_str(), watch ? callbacks::on_change : nullptr, this, callbacks::on_names,
                               &c));
}

void zookeeper_client::set(const std::string& path, const std::string& data, int version, time_point now,
                           replied done) {
  auto& c = open_call(now, std::move(done));
  begun(c,
        zoo_aset(handle_, path.c_str(), data.data(), static_cast<int>(data.size()), version, callbacks::on_stat, &c));
}

void zookeeper_client::remove(const std::string& path, int version, time_point now, replied done) {
  auto& c = open_call(now, std::move(done));
  begun(c, zoo_adelete(handle_, path.c_str(), version, callbacks::on_void, &c));
}

void zookeeper_client::finish(std::uint64_t id, zookeeper_reply r) {
  auto ended = calls_.extract(id);
  if (ended.mapped().done) ended.mapped().done(std::move(r));
}

void zookeeper_client::abandon(int rc) {
  for (auto& [id, c] : calls_) {
    if (auto done = std::exchange(c.done, nullptr)) done(zookeeper_reply{.rc = rc});
  }
}

std::size_t zookeeper_client::close() {
  if (handle_ == nullptr) return 0;
  wait_until_nothing_is_open();
  zookeeper_close(std::exchange(handle_, nullptr));
  return open_;  // the C client's threads have ended
}

zookeeper_client::call& zookeeper_client::open_call(time_point now, replied done) {
  {
    std::lock_guard lock(open_mutex_);
    ++open_;
  }
  auto id = ++last_call_;
  return calls_.emplace(id, call{*this, id, now, std::move(done)}).first->second;
}

/// A call that the C client did not take has no callback.
void zookeeper_client::begun(const call& c, int rc) {
  if (rc == ZOK) return;
  ended(rc);
  finish(c.id, zookeeper_reply{.rc = rc});
}

/// zookeeper_close() hands the calls that are open to the completion thread one by one. That ends as soon as it has
/// nothing to do, which may be between two of them, and nobody ends the others or frees their memory. So it waits in
/// the first one until all are there.
/// Source: zookeeper_close() and free_completions() in zookeeper.c, do_completion() in mt_adaptor.c, 3.8 to 3.10
void zookeeper_client::ended(int rc) {
  if (rc == ZCLOSING && !std::exchange(has_paused_, true)) std::this_thread::sleep_for(wait_for_hand_over);
  std::lock_guard lock(open_mutex_);
  if (--open_ == 0) none_open_.notify_one();
}

/// For the completion thread of a server that answers may be about to see that it is to end, and to take nothing more.
void zookeeper_client::wait_until_nothing_is_open() {
  std::unique_lock lock(open_mutex_);
  none_open_.wait_for(lock, wait_for_answers, [this] { return open_ == 0; });
}

}  // namespace flock::internal
