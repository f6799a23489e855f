#include "libflock/tls/tls_transport.hpp"

#include "libflock/logs/log_limit.hpp"
#include "libflock/tls/acceptor.hpp"
#include "libflock/tls/connection.hpp"
#include "libflock/tls/dialler.hpp"
#include "libflock/tls/leadership.hpp"
#include "libflock/tls/name_lookup.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <openssl/crypto.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <exception>
#include <list>
#include <map>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

namespace flock::internal {

namespace asio = boost::asio;

namespace {

using connection_ptr = std::shared_ptr<connection>;

class tls_transport final : public transport, private connection::listener, private dialler::host {
 public:
  tls_transport(hello self, tls_transport_options o, std::shared_ptr<const tls_context> context);
  ~tls_transport() override { stop(); }

  result<std::string> start(transport::listener& to) override;
  void dial(const node_id& id, const std::string& address) override;
  void hang_up(const node_id& id) override;
  result<void> send_all(const node_id& to, std::span<const message> all) override;
  void await(gate& g) override { leaders_.await(g); }
  std::size_t queued(const node_id& to) const override;
  void introduce(const hello& self) override;
  result<void> reload() override;
  void stop() override;

 private:
  using clock = std::chrono::steady_clock;

  /// The connections with one node.
  struct link {
    connection_ptr used;
    connection_ptr spare;  ///< as good, but not chosen: takes over if the other one turns out to be gone
  };

  bool work();
  void end_everything();

  void accepted(asio::ip::tcp::socket socket);
  void forget_stranger(const connection& c);

  bool is_connected(const node_id& id) const override;
  connection_ptr make_attempt(const node_id& id) override;
  void dial_failed(const node_id& id, dial_failure how, const error& why) override;
  void rejected(const std::string& text) override { log_refusal(text); }

  void secured(connection& c) override;
  void received(connection& c, message m) override;
  void ended(connection& c, const error& why) override;

  void say_hello(connection& c);
  void greeted(connection& c, const message& m);
  result<void> check(const connection& c, const hello& peer) const;
  void choose(connection& c);
  void confirm(connection& c);
  void use(connection& c);
  void lose(link& l, const error& why);
  void refuse(connection& c, const std::string& why);

  std::shared_ptr<const tls_context> context() const;
  connection_ptr route(const node_id& to) const;
  void log(std::string_view level, const std::string& text) const;
  void log_refusal(const std::string& text);

  const tls_transport_options options_;
  const node_id id_;
  const incarnation life_;
  const std::string flock_;
  transport::listener* listener_ = nullptr;

  mutable std::mutex mutex_;
  hello self_;                                          ///< guarded by mutex_
  std::string bound_;                                   ///< guarded by mutex_
  std::shared_ptr<const tls_context> context_;          ///< guarded by mutex_
  std::unordered_map<node_id, connection_ptr> routes_;  ///< guarded by mutex_
  bool stopped_ = false;                                ///< guarded by mutex_

  leadership leaders_{[this] { return work(); }, [this] { asio::post(io_, [] {}); }, options_.threads};
  std::array<std::thread, leadership::servers> threads_;

  // The rest belongs to the thread that leads.
  connection::shared common_{io_, *this, leaders_, options_.limits};  ///< outlives the connections that io_ holds
  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> busy_{io_.get_executor()};
  acceptor acceptor_;
  std::list<connection_ptr> strangers_;  ///< accepted, not chosen yet; the oldest first
  dialler dialler_;
  std::map<node_id, link> links_;
  log_limit refusals_;
  bool ending_ = false;
};

tls_transport::tls_transport(hello self, tls_transport_options o, std::shared_ptr<const tls_context> context)
    : options_(std::move(o)),
      id_(self.id),
      life_(self.life),
      flock_(self.flock),
      self_(std::move(self)),
      context_(std::move(context)),
      acceptor_(
          io_, [this](asio::ip::tcp::socket s) { accepted(std::move(s)); },
          [this](const std::string& text) { log_refusal(text); }),
      dialler_(io_, options_.limits, life_.low, *this) {}

result<std::string> tls_transport::start(transport::listener& to) {
  auto where = look_up(options_.listen);
  if (!where) return where.error().within("listen");
  if (where->empty()) return error{error_code::io, "listen: " + options_.listen + ": no such address"};
  auto bound = acceptor_.listen(where->front());
  if (!bound) return bound;
  {
    std::lock_guard lock(mutex_);
    bound_ = *bound;
  }
  listener_ = &to;
  // Signals are the program's business, not this thread's.
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, &before);
  for (auto& each : threads_) each = std::thread([this] { leaders_.serve(); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return bound;
}

// Handles one event. \returns false when there will be no more
bool tls_transport::work() {
  try {
    return io_.run_one() > 0;
  } catch (const std::exception& e) {
    log("warning", std::string("a handler failed: ") + e.what());
    return true;
  }
}

void tls_transport::stop() {
  {
    std::lock_guard lock(mutex_);
    if (std::exchange(stopped_, true)) return;
  }
  if (!listener_) return;
  asio::post(io_, [this] { end_everything(); });
  for (auto& each : threads_) each.join();
}

// After this there is work only until the last words have been said.
void tls_transport::end_everything() {
  ending_ = true;
  acceptor_.close();
  auto all = dialler_.stop();
  all.insert(all.end(), strangers_.begin(), strangers_.end());
  for (auto& [id, l] : links_)
    if (l.used) all.push_back(l.used);
  for (const auto& c : all) {
    const error why{error_code::shutting_down, "this node is stopping"};
    const bool may_be_chosen = c->peer && c->peer->id < id_;
    c->kept_since() || may_be_chosen ? c->say_goodbye(why) : c->close(why);
  }
  busy_.reset();
}

// -- what the node asks for

void tls_transport::dial(const node_id& id, const std::string& address) {
  asio::post(io_, [this, id, address] { dialler_.want(id, address); });
}

void tls_transport::hang_up(const node_id& id) {
  asio::post(io_, [this, id] { dialler_.forget(id); });
}

result<void> tls_transport::send_all(const node_id& to, std::span<const message> all) {
  constexpr std::size_t kept_capacity = 64 << 10;
  thread_local std::string frames;
  frames.clear();
  if (frames.capacity() > kept_capacity) frames.shrink_to_fit();

  const auto c = route(to);
  if (!c) return error{error_code::unreachable, to.str() + ": not connected"};
  for (const auto& m : all) {
    const auto before = frames.size();
    append_frame(m, frames);
    if (const auto size = frames.size() - before - frame_header; size > options_.limits.frame)
      return error{error_code::refused, to.str() + ": a message of " + std::to_string(size) + " bytes, the limit is " +
                                            std::to_string(options_.limits.frame)};
  }
  auto sent = c->send(frames);
  return sent ? sent : sent.error().within(to.str());
}

std::size_t tls_transport::queued(const node_id& to) const {
  const auto c = route(to);
  return c ? c->queued() : 0;
}

void tls_transport::introduce(const hello& self) {
  std::lock_guard lock(mutex_);
  self_ = self;
}

result<std::shared_ptr<const tls_context>> load_context(const tls_transport_options& o, const node_id& id) {
  if (!o.files) return std::shared_ptr<const tls_context>();
  auto context = tls_context::load(*o.files);
  if (!context) return context;
  if (auto good = (*context)->check(id); !good) return good.error();
  return context;
}

result<void> tls_transport::reload() {
  auto fresh = load_context(options_, id_);
  if (!fresh) return fresh.error();
  std::lock_guard lock(mutex_);
  context_ = *std::move(fresh);
  return {};
}

// -- what the dialler needs

bool tls_transport::is_connected(const node_id& id) const {
  const auto at = links_.find(id);
  return at != links_.end() && at->second.used;
}

connection_ptr tls_transport::make_attempt(const node_id& id) {
  auto attempt = std::make_shared<connection>(common_, context(), tls_role::dialler);
  attempt->wanted = id;
  return attempt;
}

void tls_transport::dial_failed(const node_id& id, dial_failure how, const error& why) {
  listener_->dial_failed(id, how, why);
}

// -- accepting

void tls_transport::accepted(asio::ip::tcp::socket socket) {
  if (common_.sockets >= static_cast<int>(options_.limits.connections))
    return log_refusal("refused a connection: there are " + std::to_string(common_.sockets) + " already");
  if (strangers_.size() >= options_.limits.unauthenticated) {
    const auto oldest = strangers_.front();
    oldest->close({error_code::refused, "too many that have not said who they are"});
  }
  const auto c = std::make_shared<connection>(common_, context(), tls_role::acceptor);
  strangers_.push_back(c);
  c->accept(std::move(socket));
}

void tls_transport::forget_stranger(const connection& c) {
  std::erase_if(strangers_, [&](const connection_ptr& s) { return s.get() == &c; });
}

// -- who is there

void tls_transport::secured(connection& c) {
  if (c.wanted) say_hello(c);  // the other side answers when it has believed it
}

void tls_transport::say_hello(connection& c) {
  message m{.kind = message_kind::hello};
  {
    std::lock_guard lock(mutex_);
    auto self = self_;
    if (self.address.empty()) self.address = bound_;
    m.body = self.to_body();
  }
  std::string frame;
  append_frame(m, frame);
  if (auto sent = c.send(frame); !sent) c.close(sent.error());
}

void tls_transport::received(connection& c, message m) {
  if (c.kept_since()) {
    switch (m.kind) {
      case message_kind::heartbeat:
        return;
      case message_kind::goodbye: {
        const auto* why = m.body["why"].as_text();
        return c.close({error_code::shutting_down, why ? *why : "goodbye"});
      }
      case message_kind::hello:
        return c.close({error_code::protocol, "a second hello"});
      default:
        return listener_->received(*c.peer, std::move(m));
    }
  }
  if (m.kind == message_kind::goodbye) {
    const auto* why = m.body["why"].as_text();
    return c.close({error_code::refused, "the other side refused: " + (why ? *why : std::string("no reason given"))});
  }
  if (!c.peer) return greeted(c, m);
  if (id_ < c.peer->id) return c.close({error_code::protocol, "a message before the connection was chosen"});
  use(c);
  if (!c.has_ended()) received(c, std::move(m));
}

void tls_transport::greeted(connection& c, const message& m) {
  if (m.kind != message_kind::hello) return refuse(c, "the first message is no hello");
  auto peer = hello::from_body(m.body);
  if (!peer) return refuse(c, peer.error().what);
  if (auto believed = check(c, *peer); !believed) return refuse(c, believed.error().what);
  c.peer = *std::move(peer);
  if (!c.wanted) say_hello(c);
  if (!c.has_ended()) choose(c);
}

result<void> tls_transport::check(const connection& c, const hello& peer) const {
  const auto refused = [](const std::string& why) { return error{error_code::refused, why}; };
  if (peer.flock != flock_)
    return refused(peer.id.str() + " is in flock \"" + peer.flock + "\", " + id_.str() + " in \"" + flock_ + "\"");
  if (const auto names = c.peer_names(); options_.files && !names_node(names, peer.id))
    return refused("it says that it is " + peer.id.str() + ", its certificate is for " + list_names(names));
  if (peer.life == life_) return refused(id_.str() + " dialled itself");
  if (peer.id == id_) return refused("conflict: two nodes have the id " + id_.str());
  if (c.wanted && *c.wanted != peer.id) return refused("dialled " + c.wanted->str() + ", reached " + peer.id.str());
  return {};
}

void tls_transport::refuse(connection& c, const std::string& why) { c.say_goodbye({error_code::refused, why}); }

// -- which connection is used

// Of two nodes the one with the smaller id chooses; the other one uses a connection from the first message on that
// comes after hello. So both use the same one, and nothing that was sent can be overtaken by what is sent later.
void tls_transport::choose(connection& c) {
  auto& l = links_[c.peer->id];
  const bool healthy = l.used && l.used->is_healthy();
  if (healthy && l.used->peer->life != c.peer->life)
    return refuse(c, "conflict: " + c.peer->id.str() + " is connected already, as incarnation " +
                         l.used->peer->life.str() + ", and healthy");
  if (c.peer->id < id_) return;
  if (!healthy) return confirm(c);
  if (c.wanted) return c.close({error_code::down, "not needed"});
  // The other side dialled without knowing of the used one, or because it has lost it: the heartbeat will show.
  l.used->send_heartbeat();
  if (const auto before = std::exchange(l.spare, c.shared_from_this())) before->close({error_code::down, "not needed"});
}

void tls_transport::confirm(connection& c) {
  static const std::string heartbeat = [] {
    std::string frame;
    append_frame(message{.kind = message_kind::heartbeat}, frame);
    return frame;
  }();
  auto sent = c.send(heartbeat);
  sent ? use(c) : c.close(sent.error());
}

void tls_transport::use(connection& c) {
  const auto& id = c.peer->id;
  auto& l = links_[id];
  if (const auto before = l.used) {
    const error why{error_code::down, "replaced by a newer connection"};
    lose(l, why);
    before->close(why);
  }
  if (l.spare.get() == &c) l.spare.reset();
  l.used = c.shared_from_this();
  forget_stranger(c);
  dialler_.reached(id, c);
  c.keep();
  {
    std::lock_guard lock(mutex_);
    routes_[id] = l.used;
  }
  log("info", "connected with " + id.str() + " (" + c.remote() + ")");
  listener_->connected(*c.peer);
}

void tls_transport::lose(link& l, const error& why) {
  const auto c = std::exchange(l.used, nullptr);
  {
    std::lock_guard lock(mutex_);
    routes_.erase(c->peer->id);
  }
  log("info", "disconnected from " + c->peer->id.str() + " (" + c->remote() + "): " + why.what);
  listener_->disconnected(*c->peer, why);
}

void tls_transport::ended(connection& c, const error& why) {
  forget_stranger(c);
  if (c.wanted) dialler_.attempt_ended(c, why);
  const bool refusal = why.code == error_code::refused || why.code == error_code::protocol;
  if (!c.kept_since() && !c.wanted && refusal) log_refusal("refused a connection from " + c.remote() + ": " + why.what);
  if (!c.peer) return;
  const auto id = c.peer->id;
  const auto at = links_.find(id);
  if (at == links_.end()) return;
  auto& l = at->second;
  if (l.spare.get() == &c) l.spare.reset();
  if (l.used.get() != &c) return;
  lose(l, why);
  if (const auto spare = l.spare; spare && !ending_) return confirm(*spare);
  links_.erase(at);
  dialler_.lost(id, c, why);
}

// -- helpers

std::shared_ptr<const tls_context> tls_transport::context() const {
  std::lock_guard lock(mutex_);
  return context_;
}

connection_ptr tls_transport::route(const node_id& to) const {
  std::lock_guard lock(mutex_);
  const auto at = routes_.find(to);
  return at == routes_.end() ? nullptr : at->second;
}

void tls_transport::log(std::string_view level, const std::string& text) const {
  if (options_.log) options_.log(level, text);
}

void tls_transport::log_refusal(const std::string& text) {
  if (const auto line = refusals_.pass(clock::now(), text)) log("warning", *line);
}

}  // namespace

result<std::unique_ptr<transport>> make_tls_transport(hello self, tls_transport_options o) {
  auto context = load_context(o, self.id);
  if (!context) return context.error();
  return std::unique_ptr<transport>(
      std::make_unique<tls_transport>(std::move(self), std::move(o), *std::move(context)));
}

std::string openssl_version() { return OpenSSL_version(OPENSSL_VERSION_STRING); }

}  // namespace flock::internal
