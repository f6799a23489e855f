#pragma once

#include "libflock/seams/task.hpp"
#include <flock/clock.hpp>

#include <zookeeper/zookeeper.h>

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace flock::internal {

/// What a call came to: the parts that it has.
struct zookeeper_reply {
  int rc = ZOK;
  std::string data;
  Stat stat{};
  std::vector<std::string> names;
};

/// Whether a server said so, and not the client itself.
bool is_from_server(int rc);

/// Where the client's threads leave what they were told. All but post() are called by the jobs that they post.
class zookeeper_sink {
 public:
  virtual ~zookeeper_sink() = default;
  virtual void post(task job) = 0;
  virtual void session_event(std::uint64_t session, int zoo_state) = 0;
  virtual void watch_event(std::uint64_t session, const std::string& path) = 0;
  virtual void call_ended(std::uint64_t session, std::uint64_t call, zookeeper_reply r) = 0;
};

/// A handle of the C client, which has one session in its life. Its callbacks copy what they get, post it to the sink's
/// thread and return, for they hold up all others.
class zookeeper_client {
 public:
  using replied = std::function<void(zookeeper_reply)>;

  /// \param number   tells this client's reports from another's
  /// \param resumed  the session to ask for; null: a new one
  zookeeper_client(zookeeper_sink& to, std::uint64_t number, const std::string& servers, milliseconds session_timeout,
                   const clientid_t* resumed);
  zookeeper_client(const zookeeper_client&) = delete;
  zookeeper_client& operator=(const zookeeper_client&) = delete;
  ~zookeeper_client() { close(); }

  /// \param auth  "digest:user:password"
  void add_auth(const std::string& auth);

  bool is_open() const { return handle_ != nullptr; }
  bool is_connected() const { return zoo_state(handle_) == ZOO_CONNECTED_STATE; }
  std::uint64_t number() const { return number_; }
  std::int64_t session() const { return zoo_client_id(handle_)->client_id; }
  clientid_t identity() const { return *zoo_client_id(handle_); }
  milliseconds session_timeout() const { return milliseconds(zoo_recv_timeout(handle_)); }
  /// The one that it is connected to; empty if there is none.
  std::string server() const;

  void create(const std::string& path, const std::string& data, int mode, const ACL_vector& acl, time_point now,
              replied done);
  void exists(const std::string& path, bool watch, time_point now, replied done);
  void get(const std::string& path, bool watch, time_point now, replied done);
  void children(const std::string& path, bool watch, time_point now, replied done);
  void set(const std::string& path, const std::string& data, int version, time_point now, replied done);
  void remove(const std::string& path, int version, time_point now, replied done);

  time_point made_at(std::uint64_t id) const { return calls_.at(id).made; }

  /// Answers a call.
  void finish(std::uint64_t id, zookeeper_reply r);

  /// Answers all open calls with this. They stay in the table: the C client still holds their addresses.
  void abandon(int rc);

  /// Ends the session if there is a connection. What is still open is not answered; see abandon(). Takes at most 2 s,
  /// if the server is silent.
  /// \returns how many calls the C client never ended: their memory is lost, and it should be none
  std::size_t close();

 private:
  struct callbacks;
  struct call {
    zookeeper_client& through;
    std::uint64_t id;
    time_point made;
    replied done;
  };

  call& open_call(time_point now, replied done);
  void begun(const call& c, int rc);
  void ended(int rc);
  void wait_until_nothing_is_open();

  zookeeper_sink& to_;
  const std::uint64_t number_;
  zhandle_t* handle_ = nullptr;
  std::uint64_t last_call_ = 0;
  std::mutex open_mutex_;  ///< guards open_
  std::condition_variable none_open_;
  std::size_t open_ = 0;                 ///< calls that the C client holds
  bool has_paused_ = false;              ///< belongs to the C client's completion thread
  std::map<std::uint64_t, call> calls_;  ///< their addresses are the C client's contexts, so they end after it
};

}  // namespace flock::internal
