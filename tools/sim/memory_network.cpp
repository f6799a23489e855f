#include "tools/sim/memory_network.hpp"

#include "libflock/seams/message.hpp"

#include <algorithm>
#include <cassert>
#include <deque>
#include <map>
#include <random>
#include <set>
#include <utility>
#include <vector>

namespace flock::testing {

namespace {

struct way {
  std::deque<std::string> frames;
  std::size_t bytes = 0;
  std::size_t held = 0;  // the first so many have arrived where the way is cut
  time_point last_arrival{};
};

using pair_of_nodes = std::pair<node_id, node_id>;

pair_of_nodes in_order(const node_id& a, const node_id& b) { return a < b ? pair_of_nodes(a, b) : pair_of_nodes(b, a); }

}  // namespace

/// All that the transports of a network share.
class memory_network::wires : public std::enable_shared_from_this<wires> {
 public:
  struct connection {
    std::map<node_id, way> to;
    std::map<node_id, hello> who;
  };
  /// What becomes of what is on the way when a connection ends.
  enum class last_words { lost, arrive };

  wires(runtime& t, const clock& c, std::uint64_t seed, transport_limits l)
      : threads(t), time(c), limits(l), random_(seed), watch_(t.make_mailbox("network")) {}

  void connect(endpoint& a, endpoint& b);
  void end(const node_id& a, const node_id& b, const error& told_to_a, const error& told_to_b,
           last_words words = last_words::lost);
  result<void> send(endpoint& from, const node_id& to, std::span<const message> all);
  void put_on(const std::shared_ptr<connection>& c, const node_id& from, const node_id& to, const std::string& frame,
              message_kind kind);
  void arrive(const std::weak_ptr<connection>& over, const node_id& from, const node_id& to);
  void cut(const node_id& from, const node_id& to);
  void heal(const node_id& from, const node_id& to);
  void close();

  std::vector<node_id> peers_of(const node_id& id) const;
  std::shared_ptr<connection> find(const node_id& a, const node_id& b) const;
  endpoint* listening_on(const std::string& address) const;
  bool is_cut(const node_id& from, const node_id& to) const { return cuts.count({from, to}) > 0; }
  /// When the last words of a connection that ended have arrived, and another may begin.
  time_point silent_from(const node_id& a, const node_id& b) const;
  time_point after_delay();
  bool happens(double share) { return std::uniform_real_distribution<>(0, 1)(random_) < share; }

  runtime& threads;
  const clock& time;
  transport_limits limits;
  disturbance disturbed;
  std::map<node_id, endpoint*> endpoints;
  std::map<pair_of_nodes, std::uint64_t> cuts;  // with the number of each

 private:
  void post_arrival(const std::shared_ptr<connection>& over, const node_id& from, const node_id& to, time_point when);
  void post_end(const std::shared_ptr<connection>& over, endpoint& at, const node_id& peer, const error& why,
                last_words words);

  std::mt19937_64 random_;
  std::shared_ptr<mailbox> watch_;
  std::map<pair_of_nodes, std::shared_ptr<connection>> connections_;
  std::map<pair_of_nodes, time_point> silent_from_;
  std::uint64_t next_cut_ = 1;
};

class memory_network::endpoint final : public transport {
 public:
  endpoint(std::shared_ptr<wires> in, hello self)
      : in_(std::move(in)), self_(std::move(self)), thread_(in_->threads.make_mailbox("transport")) {}
  ~endpoint() override { leave({error_code::down, "its process ended"}); }

  result<std::string> start(listener& to) override {
    if (self_.address.empty()) self_.address = self_.id.str() + ":22222";
    if (in_->endpoints.count(self_.id) > 0 || in_->listening_on(self_.address))
      return error{error_code::io, self_.address + " is in use"};
    listener_ = &to;
    in_->endpoints.emplace(self_.id, this);
    for (const auto& [id, d] : dials_) attempt(id);
    return self_.address;
  }

  void dial(const node_id& id, const std::string& address) override {
    auto& d = dials_[id];
    d = {address, in_->limits.backoff_first, d.number + 1};
    if (is_alive()) attempt(id);
  }

  void hang_up(const node_id& id) override { dials_.erase(id); }

  result<void> send_all(const node_id& to, std::span<const message> all) override { return in_->send(*this, to, all); }

  std::size_t queued(const node_id& to) const override {
    auto c = in_->find(self_.id, to);
    return c && is_alive() ? c->to.at(to).bytes : 0;
  }

  void introduce(const hello& self) override { self_ = self; }
  result<void> reload() override { return {}; }

  void stop() override {
    auto peers = is_alive() ? in_->peers_of(self_.id) : std::vector<node_id>();
    const error why{error_code::shutting_down, "stopping"};
    for (const auto& id : peers) listener_->disconnected(in_->endpoints.at(id)->self_, why);
    leave({error_code::shutting_down, "it said goodbye"}, wires::last_words::arrive);
  }

  /// The others see its connections end like this; here nothing is called any more.
  void leave(const error& why, wires::last_words words = wires::last_words::lost) {
    thread_->close();
    if (!is_alive()) return;
    for (const auto& id : in_->peers_of(self_.id)) in_->end(self_.id, id, why, why, words);
    in_->endpoints.erase(self_.id);
    listener_ = nullptr;
  }

  bool is_alive() const { return listener_ != nullptr; }
  const hello& self() const { return self_; }
  mailbox& thread() { return *thread_; }

  // In thread().

  void connected(const hello& peer) { listener_->connected(peer); }
  void received(const hello& from, std::string_view frame) {
    auto m = decode_message(frame);
    assert(m);
    listener_->received(from, *std::move(m));
  }
  void disconnected(const hello& peer, const error& why) {
    listener_->disconnected(peer, why);
    if (auto d = dials_.find(peer.id); d != dials_.end()) {
      d->second.backoff = in_->limits.backoff_first;
      try_later(peer.id, d->second);
    }
  }

 private:
  struct dialled {
    std::string address;
    milliseconds backoff{};
    std::uint64_t number = 0;  // another one: this attempt is out of date
  };

  void attempt(const node_id& id) {
    if (in_->find(self_.id, id)) return;
    const auto& d = dials_.at(id);
    const bool no_way = in_->is_cut(self_.id, id) || in_->is_cut(id, self_.id);
    const auto when =
        std::max(no_way ? in_->time.now() + in_->limits.handshake : in_->after_delay(), in_->silent_from(self_.id, id));
    thread_->post_at(when, [this, id, no_way, number = d.number] {
      if (auto at = dials_.find(id); at != dials_.end() && at->second.number == number) knock(id, at->second, no_way);
    });
  }

  void knock(const node_id& id, dialled& d, bool no_way) {
    if (in_->find(self_.id, id)) return;
    if (in_->silent_from(self_.id, id) > in_->time.now()) return attempt(id);
    auto* other = in_->listening_on(d.address);
    if (no_way)
      fail(id, d, dial_failure::no_answer, {error_code::unreachable, d.address + " does not answer"});
    else if (!other)
      fail(id, d, dial_failure::nobody_listens, {error_code::unreachable, "nobody listens on " + d.address});
    else if (other->self_.id != id || other->self_.flock != self_.flock)
      fail(id, d, dial_failure::rejected, {error_code::refused, other->self_.id.str() + " listens on " + d.address});
    else
      in_->connect(*this, *other);
  }

  void fail(const node_id& id, dialled& d, dial_failure how, const error& why) {
    try_later(id, d);
    d.backoff = std::min(d.backoff * 2, in_->limits.backoff_last);
    listener_->dial_failed(id, how, why);
  }

  void try_later(const node_id& id, dialled& d) {
    thread_->post_at(in_->time.now() + d.backoff, [this, id, number = ++d.number] {
      if (auto at = dials_.find(id); at != dials_.end() && at->second.number == number) attempt(id);
    });
  }

  std::shared_ptr<wires> in_;
  hello self_;
  std::shared_ptr<mailbox> thread_;
  listener* listener_ = nullptr;
  std::map<node_id, dialled> dials_;
};

void memory_network::wires::connect(endpoint& a, endpoint& b) {
  auto c = std::make_shared<connection>();
  for (const auto* each : {&a, &b}) {
    c->to[each->self().id];
    c->who.emplace(each->self().id, each->self());
  }
  connections_[in_order(a.self().id, b.self().id)] = c;
  a.thread().post([&a, peer = b.self()] { a.connected(peer); });
  b.thread().post([&b, peer = a.self()] { b.connected(peer); });
}

void memory_network::wires::end(const node_id& a, const node_id& b, const error& told_to_a, const error& told_to_b,
                                last_words words) {
  auto ended = connections_.extract(in_order(a, b));
  if (ended.empty()) return;
  post_end(ended.mapped(), *endpoints.at(a), b, told_to_a, words);
  post_end(ended.mapped(), *endpoints.at(b), a, told_to_b, words);
}

void memory_network::wires::post_end(const std::shared_ptr<connection>& over, endpoint& at, const node_id& peer,
                                     const error& why, last_words words) {
  auto when = time.now();
  if (words == last_words::arrive && !is_cut(peer, at.self().id))
    when = std::max(when, over->to.at(at.self().id).last_arrival);
  auto& silent = silent_from_[in_order(at.self().id, peer)];
  silent = std::max(silent, when);
  // It keeps the connection until then, and with it what is on the way.
  at.thread().post_at(when, [over = words == last_words::arrive ? over : nullptr, &at, who = over->who.at(peer), why] {
    at.disconnected(who, why);
  });
}

time_point memory_network::wires::silent_from(const node_id& a, const node_id& b) const {
  auto at = silent_from_.find(in_order(a, b));
  return at == silent_from_.end() ? time_point() : at->second;
}

result<void> memory_network::wires::send(endpoint& from, const node_id& to, std::span<const message> all) {
  auto c = from.is_alive() ? find(from.self().id, to) : nullptr;
  if (!c) return error{error_code::unreachable, to.str() + " is not connected"};
  std::vector<std::string> frames;
  std::size_t bytes = 0;
  for (const auto& m : all) {
    const auto size = frames.emplace_back(encode(m)).size();
    bytes += size;
    if (size > limits.frame || c->to.at(to).bytes + bytes > limits.queue)
      return error{error_code::refused, std::to_string(bytes) + " bytes are too many for " + to.str()};
  }
  for (std::size_t i = 0; i < frames.size(); ++i) put_on(c, from.self().id, to, frames[i], all[i].kind);
  return {};
}

void memory_network::wires::put_on(const std::shared_ptr<connection>& c, const node_id& from, const node_id& to,
                                   const std::string& frame, message_kind kind) {
  auto& way = c->to.at(to);
  int copies = 1;
  if (kind == message_kind::parcels || kind == message_kind::acknowledge) {
    if (happens(disturbed.lost)) copies = 0;
    if (happens(disturbed.repeated)) ++copies;
  }
  for (; copies > 0; --copies) {
    way.bytes += frame.size();
    way.frames.push_back(frame);
    way.last_arrival = std::max(way.last_arrival, after_delay());
    post_arrival(c, from, to, way.last_arrival);
  }
}

void memory_network::wires::post_arrival(const std::shared_ptr<connection>& over, const node_id& from,
                                         const node_id& to, time_point when) {
  endpoints.at(to)->thread().post_at(when, [this, over = std::weak_ptr(over), from, to] { arrive(over, from, to); });
}

void memory_network::wires::arrive(const std::weak_ptr<connection>& over, const node_id& from, const node_id& to) {
  auto c = over.lock();
  if (!c) return;
  auto& way = c->to.at(to);
  if (is_cut(from, to)) {
    ++way.held;
    return;
  }
  auto frame = std::move(way.frames.front());
  way.frames.pop_front();
  way.bytes -= frame.size();
  endpoints.at(to)->received(c->who.at(from), frame);
}

void memory_network::wires::cut(const node_id& from, const node_id& to) {
  const auto number = cuts[{from, to}] = next_cut_++;
  watch_->post_at(time.now() + 3 * limits.heartbeat, [this, from, to, number] {
    if (auto at = cuts.find({from, to}); at == cuts.end() || at->second != number) return;
    const error silent{error_code::down, "silent for three heartbeats"};
    end(from, to, silent, silent);
  });
}

void memory_network::wires::heal(const node_id& from, const node_id& to) {
  if (cuts.erase({from, to}) == 0) return;
  auto c = find(from, to);
  if (!c) return;
  for (auto held = std::exchange(c->to.at(to).held, 0); held > 0; --held) post_arrival(c, from, to, time.now());
}

void memory_network::wires::close() {
  watch_->close();
  for (auto& [id, e] : std::map(endpoints)) e->leave({error_code::down, "the network is gone"});
}

std::vector<node_id> memory_network::wires::peers_of(const node_id& id) const {
  std::vector<node_id> peers;
  for (const auto& [ends, c] : connections_) {
    if (ends.first == id) peers.push_back(ends.second);
    if (ends.second == id) peers.push_back(ends.first);
  }
  return peers;
}

std::shared_ptr<memory_network::wires::connection> memory_network::wires::find(const node_id& a,
                                                                               const node_id& b) const {
  auto at = connections_.find(in_order(a, b));
  return at == connections_.end() ? nullptr : at->second;
}

memory_network::endpoint* memory_network::wires::listening_on(const std::string& address) const {
  for (const auto& [id, e] : endpoints) {
    if (e->self().address == address) return e;
  }
  return nullptr;
}

time_point memory_network::wires::after_delay() {
  std::uniform_int_distribution<milliseconds::rep> ms(disturbed.delay_least.count(), disturbed.delay_most.count());
  return time.now() + milliseconds(ms(random_));
}

memory_network::memory_network(runtime& threads, const clock& time, std::uint64_t seed, transport_limits limits)
    : wires_(std::make_shared<wires>(threads, time, seed, limits)) {}

memory_network::~memory_network() { wires_->close(); }

std::unique_ptr<transport> memory_network::attach(hello self) {
  return std::make_unique<endpoint>(wires_, std::move(self));
}

void memory_network::disturb(disturbance d) { wires_->disturbed = d; }

void memory_network::cut(const node_id& from, const node_id& to) { wires_->cut(from, to); }

void memory_network::cut_both(const node_id& a, const node_id& b) {
  wires_->cut(a, b);
  wires_->cut(b, a);
}

void memory_network::heal(const node_id& a, const node_id& b) {
  wires_->heal(a, b);
  wires_->heal(b, a);
}

void memory_network::heal() {
  for (const auto& [ends, number] : std::map(wires_->cuts)) wires_->heal(ends.first, ends.second);
}

void memory_network::drop(const node_id& a, const node_id& b) {
  const error broken{error_code::down, "the connection broke"};
  wires_->end(a, b, broken, broken);
}

void memory_network::kill(const node_id& id, bool last_words_arrive) {
  const auto words = last_words_arrive ? wires::last_words::arrive : wires::last_words::lost;
  if (auto at = wires_->endpoints.find(id); at != wires_->endpoints.end())
    at->second->leave({error_code::down, "its process is gone"}, words);
}

bool memory_network::are_connected(const node_id& a, const node_id& b) const { return wires_->find(a, b) != nullptr; }

}  // namespace flock::testing
