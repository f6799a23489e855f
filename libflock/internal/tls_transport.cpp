#include "internal/tls_transport.hpp"

#include "internal/acceptor.hpp"
#include "internal/backoff.hpp"
#include "internal/connection.hpp"
#include "internal/dial_turns.hpp"
#include "internal/leadership.hpp"
#include "internal/name_lookup.hpp"
#include <flock/log_limit.hpp>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

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

// Enough to keep two ends busy on a loopback, where a handshake is two milliseconds of one CPU or so. Where it lasts
// longer, as peers are far away or do not answer, this is 256 in a second.
constexpr std::size_t dials_at_once = 64;
constexpr milliseconds dial_patience{250};

class tls_transport final : public transport, private connection::owner {
 public:
  tls_transport(hello self, tls_transport_options o, std::shared_ptr<const tls_context> context);
  ~tls_transport() override { stop(); }

  result<std::string> start(listener& to) override;
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

  /// A node that this one wants to be connected with.
  struct target {
    std::string address;
    backoff pause;
    asio::steady_timer timer;  ///< until the next attempt, or for looking up its address
    std::uint64_t tries = 0;   ///< tells an answer that comes too late from the one that is awaited
    bool looking_up = false;
    connection_ptr attempt;
    std::optional<clock::time_point> redialled;  ///< when it was last dialled without a pause
    std::string rejected;                        ///< why, as last said in the log
  };

  /// The connections with one node.
  struct link {
    connection_ptr used;
    connection_ptr spare;  ///< as good, but not chosen: takes over if the other one turns out to be gone
  };

  bool work();
  void end_everything();

  void accepted(asio::ip::tcp::socket socket);
  void forget_stranger(const connection& c);

  void want(const node_id& id, const std::string& address);
  void attempt(const node_id& id);
  void end_turn(const node_id& id);
  void schedule_turns();
  void begin_next();
  void found(const node_id& id, const result<endpoints>& where);
  void abandon(const node_id& id, target& t);
  void attempt_ended(const node_id& id, const connection& c, const error& why);
  void attempt_failed(const node_id& id, dial_failure how, const std::string& why);
  void redial(const node_id& id, milliseconds pause);
  void redial_after_loss(const node_id& id, const connection& lost, const error& why);
  bool may_reach(const endpoints& where) const;

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
  bool is_connected(const node_id& id) const;
  void refuse(connection& c, const std::string& why);

  std::shared_ptr<const tls_context> context() const;
  connection_ptr route(const node_id& to) const;
  void log(std::string_view level, const std::string& text) const;
  void log_refusal(const std::string& text);

  const tls_transport_options options_;
  const node_id id_;
  const incarnation life_;
  const std::string flock_;
  listener* listener_ = nullptr;

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
  name_lookup lookup_{io_};
  acceptor acceptor_;
  std::list<connection_ptr> strangers_;  ///< accepted, not chosen yet; the oldest first
  std::map<node_id, target> targets_;
  dial_turns turns_{dials_at_once, dial_patience};
  asio::steady_timer next_turn_{io_};
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
          [this](const std::string& text) { log_refusal(text); }) {}

result<std::string> tls_transport::start(listener& to) {
  auto where = look_up(options_.listen);
  if (!where) return where.error().within("listen");
  if (where->empty()) return error{error_code::io, "listen: " + options_.listen + ": no such address"};
  if (!may_reach({where->front()}))
    return error{error_code::bad_argument, "listen: " + options_.listen +
                                               ": without certificates only a loopback address is allowed, unless "
                                               "insecure is given"};
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
  next_turn_.cancel();
  acceptor_.close();
  std::vector<connection_ptr> all(strangers_.begin(), strangers_.end());
  for (auto& [id, l] : links_)
    if (l.used) all.push_back(l.used);
  for (auto& [id, t] : std::exchange(targets_, {})) {
    if (t.attempt) all.push_back(std::exchange(t.attempt, nullptr));
    abandon(id, t);
  }
  for (const auto& c : all) {
    const error why{error_code::shutting_down, "this node is stopping"};
    const bool may_be_chosen = c->peer && c->peer->id < id_;
    c->kept_since() || may_be_chosen ? c->say_goodbye(why) : c->close(why);
  }
  busy_.reset();
}

// -- what the node asks for

void tls_transport::dial(const node_id& id, const std::string& address) {
  asio::post(io_, [this, id, address] {
    if (!ending_) want(id, address);
  });
}

void tls_transport::hang_up(const node_id& id) {
  asio::post(io_, [this, id] {
    auto node = targets_.extract(id);
    if (node) abandon(id, node.mapped());
  });
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

// -- dialling

void tls_transport::want(const node_id& id, const std::string& address) {
  const auto& limits = options_.limits;
  const auto seed = life_.low ^ std::hash<node_id>()(id);
  auto [at, fresh] = targets_.try_emplace(
      id, target{address, backoff(limits.backoff_first, limits.backoff_last, seed), asio::steady_timer(io_)});
  auto& t = at->second;
  if (!fresh && t.address != address) {
    abandon(id, t);
    t.address = address;
  }
  t.pause.reset();
  attempt(id);
}

// Forgets what is under way to reach it; nothing is reported.
void tls_transport::abandon(const node_id& id, target& t) {
  end_turn(id);
  ++t.tries;
  t.looking_up = false;
  t.timer.cancel();
  if (auto c = std::exchange(t.attempt, nullptr)) c->close({error_code::down, "not wanted any more"});
}

void tls_transport::attempt(const node_id& id) {
  const auto at = targets_.find(id);
  if (at == targets_.end() || is_connected(id)) return;
  auto& t = at->second;
  if (t.attempt || t.looking_up) return;
  if (!turns_.take(id, clock::now())) return schedule_turns();
  t.looking_up = true;
  const auto current = [this, id, number = ++t.tries] {
    const auto now = targets_.find(id);
    return now != targets_.end() && now->second.tries == number;
  };
  t.timer.expires_after(options_.limits.handshake);
  t.timer.async_wait([this, id, current](const boost::system::error_code& stopped) {
    if (stopped || !current()) return;
    ++targets_.at(id).tries;
    found(id, error{error_code::unreachable, "the name servers do not answer"});
  });
  lookup_.start(t.address, [this, id, current](const result<endpoints>& where) {
    if (current()) found(id, where);
  });
}

// Its attempt is over, one way or the other.
void tls_transport::end_turn(const node_id& id) {
  turns_.end(id);
  schedule_turns();
}

void tls_transport::schedule_turns() {
  const auto when = turns_.next_at();
  if (!when || ending_) return;
  next_turn_.expires_at(*when);
  next_turn_.async_wait([this](const boost::system::error_code& stopped) {
    if (!stopped) begin_next();
  });
}

void tls_transport::begin_next() {
  while (const auto id = turns_.next(clock::now())) {
    if (!targets_.contains(*id) || is_connected(*id))
      turns_.end(*id);
    else
      attempt(*id);
  }
  schedule_turns();
}

void tls_transport::found(const node_id& id, const result<endpoints>& where) {
  auto& t = targets_.at(id);
  t.looking_up = false;
  t.timer.cancel();
  if (is_connected(id)) return;
  if (!where) return attempt_failed(id, dial_failure::no_answer, t.address + ": " + where.error().what);
  if (!may_reach(*where))
    return attempt_failed(id, dial_failure::rejected,
                          t.address + ": without certificates only a loopback address is dialled");
  t.attempt = std::make_shared<connection>(common_, context(), tls_role::dialler);
  t.attempt->wanted = id;
  const auto c = t.attempt;
  c->dial(*where);
}

bool tls_transport::may_reach(const endpoints& where) const {
  return options_.files || options_.insecure ||
         std::all_of(where.begin(), where.end(), [](const auto& e) { return e.address().is_loopback(); });
}

void tls_transport::attempt_ended(const node_id& id, const connection& c, const error& why) {
  const auto at = targets_.find(id);
  if (at == targets_.end() || at->second.attempt.get() != &c) return;
  at->second.attempt.reset();
  if (is_connected(id)) return end_turn(id);  // it was not needed in the end
  const auto how = c.nobody_listens()                ? dial_failure::nobody_listens
                   : why.code == error_code::refused ? dial_failure::rejected
                                                     : dial_failure::no_answer;
  attempt_failed(id, how, why.what);
}

void tls_transport::attempt_failed(const node_id& id, dial_failure how, const std::string& why) {
  end_turn(id);
  auto& t = targets_.at(id);
  const bool rejected = how == dial_failure::rejected;
  const auto text = rejected ? id.str() + " at " + t.address + ": " + why : why;
  if (rejected && t.rejected != why) log_refusal("no connection with " + text);
  if (rejected) t.rejected = why;
  redial(id, t.pause.next());
  listener_->dial_failed(id, how, {rejected ? error_code::refused : error_code::unreachable, text});
}

void tls_transport::redial(const node_id& id, milliseconds pause) {
  auto& t = targets_.at(id);
  t.timer.expires_after(pause);
  t.timer.async_wait([this, id, number = ++t.tries](const boost::system::error_code& stopped) {
    const auto at = targets_.find(id);
    if (!stopped && at != targets_.end() && at->second.tries == number) attempt(id);
  });
}

// Almost at once, for that is how the end of its process is told from the end of a connection; but a peer that accepts
// and then closes, again and again, is met with pauses.
void tls_transport::redial_after_loss(const node_id& id, const connection& lost, const error& why) {
  const auto at = targets_.find(id);
  if (at == targets_.end() || ending_) return;
  auto& t = at->second;
  const auto now = clock::now();
  const auto while_ago = now - options_.limits.heartbeat;
  if (lost.kept_since() < while_ago) t.pause.reset();
  if (why.code == error_code::shutting_down || t.redialled > while_ago) return redial(id, t.pause.next());
  t.redialled = now;
  constexpr milliseconds moment{1};  // a killed process loses its connections a little before what it listens on
  redial(id, moment);
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
  if (const auto at = targets_.find(id); at != targets_.end()) {
    if (at->second.attempt == l.used) at->second.attempt.reset();
    abandon(id, at->second);
    at->second.rejected.clear();
  }
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

bool tls_transport::is_connected(const node_id& id) const {
  const auto at = links_.find(id);
  return at != links_.end() && at->second.used;
}

void tls_transport::ended(connection& c, const error& why) {
  forget_stranger(c);
  if (c.wanted) attempt_ended(*c.wanted, c, why);
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
  redial_after_loss(id, c, why);
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

}  // namespace flock::internal
