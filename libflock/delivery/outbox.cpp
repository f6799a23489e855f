#include "libflock/delivery/outbox.hpp"

#include "libflock/values/member_reader.hpp"
#include <flock/value_cast.hpp>

#include <algorithm>
#include <cassert>
#include <utility>

namespace flock {

using internal::sentence;
using internal::whole_at_end;

value outbox::standing::to_value() const {
  return value::map{{"revision", revision},          {"reserved", reserved}, {"again", again},
                    {"sent", flock::to_value(sent)}, {"life", life.str()},   {"journal", journal}};
}

result<outbox::standing> outbox::standing::from_value(const value& v) {
  internal::member_reader in(v);
  auto revision = in.required<std::uint64_t>("revision");
  auto reserved = in.required<std::uint64_t>("reserved");
  auto again = in.required<std::uint64_t>("again");
  auto sent = in.optional<std::uint64_t>("sent");
  auto life = in.required<incarnation>("life");
  auto journal = in.required<std::string>("journal");
  if (in.failed()) return *in.failed();
  if (const auto upto = sent.value_or(*reserved); *again > upto || upto > *reserved)
    return error{error_code::bad_argument, "again, sent, reserved: numbers that do not grow"};
  return standing{*revision, *reserved, *again, sent, *life, *std::move(journal)};
}

outbox::outbox(std::string name, options o) : name_(std::move(name)), options_(o) {}

void outbox::channel::change() {
  ++now.revision;
  to_store = true;
}

// Before the last half of what is reserved is used up, so that in steady state nothing waits for a record.
void outbox::channel::reserve(std::size_t ahead) {
  if (last + ahead / 2 < now.reserved) return;
  now.reserved = last + ahead;
  change();
}

bool outbox::channel::may_leave(const pending& p) const {
  if (std::holds_alternative<receipt>(p.content)) return p.number <= safe_parcels;
  return p.number <= safe_reserved;
}

std::deque<outbox::pending>::iterator outbox::channel::find(std::uint64_t number) {
  auto at = std::lower_bound(queue.begin(), queue.end(), number,
                             [](const pending& p, std::uint64_t n) { return p.number < n; });
  return at != queue.end() && at->number == number ? at : queue.end();
}

void outbox::channel::erase(std::deque<pending>::iterator at) {
  if (static_cast<std::size_t>(at - queue.begin()) < in_flight) --in_flight;
  queue.erase(at);
}

std::uint64_t outbox::add(const node_id& to, parcel p, std::size_t bytes) {
  const whole_at_end look([&] { return check(to); });
  auto& c = channels_[to];
  c.queue.push_back({++c.last, std::move(p), bytes});
  c.reserve(options_.reserve);
  return c.last;
}

void outbox::restore(const node_id& to, const standing& s) {
  const whole_at_end look([&] { return check(to); });
  auto& c = channels_[to];
  c.now = s;
  // Whatever was sent and not kept had one of these numbers.
  c.last = s.reserved;
  c.sent = s.sent.value_or(s.reserved);
  c.safe_revision = s.revision;
  c.safe_reserved = s.reserved;
  c.safe_parcels = c.last;
}

void outbox::restore(const node_id& to, std::uint64_t number, parcel p, std::size_t bytes) {
  const whole_at_end look([&] { return check(to); });
  auto& c = channels_[to];
  assert(c.queue.empty() || c.queue.back().number < number);
  c.queue.push_back({number, std::move(p), bytes});
  c.last = std::max(c.last, number);
  // What said so may be damaged.
  c.now.reserved = std::max(c.now.reserved, number);
  c.safe_parcels = c.last;
}

std::optional<outbox::standing> outbox::to_store(const node_id& to) {
  auto at = channels_.find(to);
  if (at == channels_.end() || !std::exchange(at->second.to_store, false)) return std::nullopt;
  return at->second.now;
}

bool outbox::is_stored(const node_id& to) const {
  const auto* c = find(to);
  return !c || c->last == c->safe_parcels;
}

void outbox::stored(const node_id& to, const standing& s) {
  const whole_at_end look([&] { return check(to); });
  auto& c = channels_[to];
  c.safe_revision = s.revision;
  c.safe_reserved = s.reserved;
}

void outbox::stored(const node_id& to, std::uint64_t upto) {
  const whole_at_end look([&] { return check(to); });
  auto& c = channels_[to];
  c.safe_parcels = std::max(c.safe_parcels, upto);
}

bool outbox::connected(const node_id& to, const incarnation& life, const std::string& journal) {
  const whole_at_end look([&] { return check(to); });
  auto& c = channels_[to];
  const bool other_storage = !c.now.journal.empty() && c.now.journal != journal;
  if (c.now.life != life) c.now.again = c.sent;
  c.now.life = life;
  c.now.journal = journal;
  c.now.sent = std::nullopt;
  c.connected = true;
  c.in_flight = 0;
  c.required = c.now.revision + 1;
  // A peer that nothing was ever sent to costs no record: the first parcel's reservation will say all this.
  if (c.last == 0) return other_storage;
  c.change();
  c.reserve(options_.reserve);
  return other_storage;
}

void outbox::disconnected(const node_id& to) {
  const whole_at_end look([&] { return check(to); });
  auto& c = channels_[to];
  c.connected = false;
  c.in_flight = 0;
  c.now.sent = c.sent;
  if (c.last > 0) c.change();
}

std::optional<batch> outbox::next(const node_id& to) const {
  const auto* c = find(to);
  // Until it is durable that it is connected, a crash would make sent parcels look unsent.
  if (!c || !c->connected || c->safe_revision < c->required) return std::nullopt;
  // Nothing before the front of the queue is waited for: it is acknowledged, or was taken out.
  batch b{name_, c->now.life, c->in_flight == 0 ? 0 : c->queue[c->in_flight - 1].number, c->now.again, {}};
  std::size_t bytes = 0;
  for (auto i = c->in_flight; i < c->queue.size() && i < options_.window && b.items.size() < options_.batch; ++i) {
    const auto& p = c->queue[i];
    bytes += p.bytes;
    if (!c->may_leave(p) || (bytes > options_.bytes && !b.items.empty())) break;
    b.items.push_back({p.number, p.content});
  }
  if (b.items.empty()) return std::nullopt;
  return b;
}

void outbox::sent(const node_id& to, const batch& b) {
  const whole_at_end look([&] { return check(to); });
  auto& c = channels_[to];
  c.in_flight += b.items.size();
  c.sent = std::max(c.sent, b.items.back().number);
}

void outbox::rewind(const node_id& to) { channels_[to].in_flight = 0; }

void outbox::doubt(const node_id& to) {
  const whole_at_end look([&] { return check(to); });
  auto& c = channels_[to];
  c.sent = c.now.again = c.last;
  if (!c.connected) c.now.sent = c.sent;
  c.change();
  c.required = c.now.revision;
}

std::vector<batch::item> outbox::acknowledge(const node_id& from, const acknowledgement& a) {
  const whole_at_end look([&] { return check(from); });
  auto at = channels_.find(from);
  if (at == channels_.end() || a.channel != name_) return {};
  auto& c = at->second;
  // A number that was never given: this storage is older than what it sent. Those parcels end as unknown, not as lost.
  if (a.upto > c.last) return {};
  std::vector<batch::item> settled;
  while (!c.queue.empty() && c.queue.front().number <= a.upto) {
    settled.push_back({c.queue.front().number, std::move(c.queue.front().content)});
    c.erase(c.queue.begin());
  }
  return settled;
}

bool outbox::withdraw(const node_id& to, std::uint64_t number) {
  const whole_at_end look([&] { return check(to); });
  auto& c = channels_[to];
  auto at = c.find(number);
  if (at == c.queue.end() || number <= c.sent) return false;
  c.erase(at);
  // If a crash brought it back after later numbers had been taken, its receiver would take it for a repetition.
  c.change();
  c.required = c.now.revision;
  return true;
}

void outbox::drop(const node_id& to, std::uint64_t number) {
  const whole_at_end look([&] { return check(to); });
  auto& c = channels_[to];
  if (auto at = c.find(number); at != c.queue.end()) c.erase(at);
}

std::vector<std::uint64_t> outbox::drop_receipts(const node_id& to, wall_time older_than) {
  const whole_at_end look([&] { return check(to); });
  auto& c = channels_[to];
  std::vector<std::uint64_t> dropped;
  while (!c.queue.empty()) {
    const auto* r = std::get_if<receipt>(&c.queue.front().content);
    if (!r || r->at >= older_than) break;
    dropped.push_back(c.queue.front().number);
    c.erase(c.queue.begin());
  }
  return dropped;
}

const outbox::channel* outbox::find(const node_id& to) const {
  auto at = channels_.find(to);
  return at == channels_.end() ? nullptr : &at->second;
}

std::uint64_t outbox::last(const node_id& to) const {
  const auto* c = find(to);
  return c ? c->last : 0;
}

std::size_t outbox::in_flight(const node_id& to) const {
  const auto* c = find(to);
  return c ? c->in_flight : 0;
}

std::size_t outbox::depth(const node_id& to) const {
  const auto* c = find(to);
  return c ? c->queue.size() : 0;
}

std::size_t outbox::depth() const {
  std::size_t all = 0;
  for (const auto& [to, c] : channels_) all += c.queue.size();
  return all;
}

std::vector<node_id> outbox::receivers() const {
  std::vector<node_id> waiting;
  for (const auto& [to, c] : channels_) {
    if (!c.queue.empty()) waiting.push_back(to);
  }
  return waiting;
}

bool outbox::is_connected(const node_id& to) const {
  const auto* c = find(to);
  return c && c->connected;
}

void outbox::each_waiting(const std::function<void(const node_id&, std::uint64_t, const parcel&)>& f) const {
  for (const auto& [to, c] : channels_)
    for (const auto& p : c.queue) f(to, p.number, p.content);
}

broken outbox::check() const {
  for (const auto& [to, c] : channels_) {
    if (auto why = check(to)) return why;
    if (auto why = c.check_queue()) return sentence("the channel to ", to, ": ", *why);
  }
  return {};
}

broken outbox::check(const node_id& to) const {
  const auto* c = find(to);
  const auto why = c ? c->check_counters(options_.window) : broken();
  return why ? sentence("the channel to ", to, ": ", *why) : broken();
}

broken outbox::channel::check_counters(std::size_t window) const {
  if (last > now.reserved)
    return sentence("number ", last, " was given, and only those to ", now.reserved, " are reserved");
  if (sent > now.reserved)
    return sentence("number ", sent, " was sent, and only those to ", now.reserved, " are reserved");
  if (now.again > sent)
    return sentence("an earlier life of the receiver may have number ", now.again, ", and only those to ", sent,
                    " were sent");
  if (connected && now.sent) return sentence("it is connected, and nothing beyond ", *now.sent, " is said to be sent");
  if (now.sent && *now.sent != sent)
    return sentence("number ", *now.sent, " is said to be the last that was sent, and it was ", sent);
  if (in_flight > std::min(window, queue.size()))
    return sentence(in_flight, " parcels are on the way, of ", queue.size(), ", and in a window of ", window);
  if (in_flight > 0 && !connected) return sentence(in_flight, " parcels are on the way without a connection");
  if (in_flight > 0 && queue[in_flight - 1].number > sent)
    return sentence("number ", queue[in_flight - 1].number, " is on the way, and only those to ", sent, " were sent");
  if (safe_revision > now.revision || safe_reserved > now.reserved || safe_parcels > last)
    return sentence("revision ", safe_revision, " of ", now.revision, ", reservation ", safe_reserved, " of ",
                    now.reserved, " and parcel ", safe_parcels, " of ", last, " are said to be durable");
  if (required > now.revision + (last == 0 ? 1 : 0))
    return sentence("it waits for revision ", required, ", and there is only ", now.revision);
  return {};
}

broken outbox::channel::check_queue() const {
  std::uint64_t before = 0;
  for (std::size_t i = 0; i < queue.size(); ++i) {
    const auto& p = queue[i];
    if (p.number <= before || p.number > last)
      return sentence("number ", p.number, " waits behind ", before, ", and the last one given is ", last);
    if (i < in_flight && !may_leave(p)) return sentence("number ", p.number, " is on the way before it may leave");
    before = p.number;
  }
  return {};
}

}  // namespace flock
