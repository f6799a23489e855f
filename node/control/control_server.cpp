#include "node/control/control_server.hpp"

#include "node/control/control_server_connection.hpp"

#include <array>
#include <cerrno>
#include <exception>
#include <grp.h>
#include <set>
#include <sys/stat.h>
#include <sys/un.h>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <utility>

namespace flock {
namespace {

namespace asio = boost::asio;
using unix_socket = asio::local::stream_protocol;
using io_status = boost::system::error_code;
using control_log = std::function<void(std::string_view level, const std::string& text)>;

error failed(const std::string& what, int number) {
  return {error_code::io, what + ": " + std::generic_category().message(number)};
}

// Whether somebody answers on the socket at this path.
result<bool> is_answered(asio::io_context& io, const std::string& path) {
  unix_socket::socket probe(io);
  io_status ec;
  probe.open({}, ec);
  if (!ec) probe.non_blocking(true, ec);  // a full backlog must not hold us up
  if (!ec) probe.connect(path, ec);
  if (!ec || ec == asio::error::would_block || ec == asio::error::try_again) return true;
  if (ec == asio::error::connection_refused) return false;
  return failed(path, ec.value());
}

// Makes room for a socket at this path, if what is there is a socket that nobody answers on.
result<void> clear_path(asio::io_context& io, const std::string& path) {
  if (path.empty() || path.size() >= sizeof(sockaddr_un::sun_path))
    return error{error_code::bad_argument, "no path of a socket (1 to 107 bytes): \"" + path + "\""};
  struct stat there {};
  if (::lstat(path.c_str(), &there) != 0) return errno == ENOENT ? result<void>() : failed(path, errno);
  if (!S_ISSOCK(there.st_mode)) return error{error_code::io, path + ": it exists and is no socket"};
  const auto answered = is_answered(io, path);
  if (!answered) return answered.error();
  if (*answered) return error{error_code::conflict, path + ": another flockd answers on it"};
  if (::unlink(path.c_str()) != 0) return failed(path, errno);
  return {};
}

// Who may connect. Done between bind() and listen(), so that nobody connects before.
result<void> admit_group(const std::string& path, const std::string& name, const control_log& log) {
  std::array<char, 16 * 1024> buffer;
  group entry{};
  group* found = nullptr;
  ::getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
  if (!found)
    log("warning", "there is no group " + name + ": " + path + " is for this user and its group only");
  else if (::chown(path.c_str(), static_cast<uid_t>(-1), found->gr_gid) != 0)
    log("warning", failed("cannot give " + path + " to the group " + name, errno).what);
  if (::chmod(path.c_str(), 0660) != 0) return failed(path, errno);
  return {};
}

}  // namespace

class control_server::impl {
 public:
  impl(control_server_options o, const control_api& api)
      : options_(std::move(o)),
        acceptor_(io_),
        retry_(io_),
        server_{.options = options_,
                .entrance = std::make_shared<control_entrance>(io_),
                .handle = [&api](const control_request& request,
                                 control_connection::answered done) { api.handle(request, done); },
                .closed = [this](const std::shared_ptr<control_connection>& c) { connections_.erase(c); }} {}
  ~impl();
  impl(const impl&) = delete;
  impl& operator=(const impl&) = delete;

  result<void> listen();

 private:
  void run();
  void accept();
  void admit(unix_socket::socket socket);
  bool make_room();

  control_server_options options_;
  asio::io_context io_{1};
  unix_socket::acceptor acceptor_;
  asio::steady_timer retry_;
  control_connection::server server_;
  std::set<std::shared_ptr<control_connection>> connections_;
  struct stat socket_ {};
  std::thread thread_;
};

control_server::impl::~impl() {
  server_.entrance->shut();
  io_.stop();
  if (thread_.joinable()) thread_.join();
  for (const auto& c : std::set(connections_)) c->close();
  struct stat there {};
  const bool ours =
      ::lstat(options_.socket.c_str(), &there) == 0 && there.st_dev == socket_.st_dev && there.st_ino == socket_.st_ino;
  if (ours) ::unlink(options_.socket.c_str());
}

result<void> control_server::impl::listen() {
  const auto& path = options_.socket;
  if (auto cleared = clear_path(io_, path); !cleared) return cleared;
  io_status ec;
  acceptor_.open({}, ec);
  if (!ec) acceptor_.bind(path, ec);
  if (ec) return failed(path, ec.value());
  if (::lstat(path.c_str(), &socket_) != 0) return failed(path, errno);
  if (auto admitted = admit_group(path, options_.group, options_.log); !admitted) return admitted;
  acceptor_.listen(unix_socket::acceptor::max_listen_connections, ec);
  if (ec) return failed(path, ec.value());
  accept();
  thread_ = std::thread([this] { run(); });
  return {};
}

void control_server::impl::run() {
  while (!io_.stopped()) {
    try {
      io_.run();
    } catch (const std::exception& e) {
      options_.log("warning", std::string("control API: ") + e.what());
    }
  }
}

void control_server::impl::accept() {
  acceptor_.async_accept([this](io_status ec, unix_socket::socket socket) {
    if (!ec) {
      accept();
      return admit(std::move(socket));
    }
    // Out of descriptors, most likely: others may give some back.
    options_.log("warning", "cannot accept a control connection: " + ec.message());
    retry_.expires_after(milliseconds(100));
    retry_.async_wait([this](io_status cancelled) {
      if (!cancelled) accept();
    });
  });
}

void control_server::impl::admit(unix_socket::socket socket) {
  if (connections_.size() >= options_.connections && !make_room())
    return options_.log("warning", "a control connection was refused: all " + std::to_string(options_.connections) +
                                       " that there may be are busy");
  const auto added = std::make_shared<control_connection>(server_, std::move(socket));
  connections_.insert(added);
  added->start();
}

bool control_server::impl::make_room() {
  std::shared_ptr<control_connection> oldest;
  for (const auto& c : connections_)
    if (c->idle_since() && (!oldest || c->idle_since() < oldest->idle_since())) oldest = c;
  if (oldest) oldest->close();
  return oldest != nullptr;
}

result<std::unique_ptr<control_server>> control_server::start(control_server_options o, const control_api& api) {
  if (!o.log) o.log = [](std::string_view, const std::string&) {};
  auto server = std::make_unique<impl>(std::move(o), api);
  if (auto listening = server->listen(); !listening) return listening.error();
  return std::unique_ptr<control_server>(new control_server(std::move(server)));
}

control_server::control_server(std::unique_ptr<impl> i) : impl_(std::move(i)) {}
control_server::~control_server() = default;

}  // namespace flock
