#include "libflock/delivery/sending.hpp"

#include "libflock/delivery/courier_keys.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace flock::internal {

using namespace courier_keys;

namespace {

bool goes_round(const notification& n) {
  return std::any_of(n.causes.begin(), n.causes.end(), [&](const cause& c) {
    return c.node == n.target && n.actor == c.resource && c.action == n.action;
  });
}

std::string chain_of(const notification& n) {
  std::string chain;
  for (const auto& c : n.causes) chain += c.node.str() + "/" + c.resource + " " + c.action + " -> ";
  return chain + to_string(n);
}

}  // namespace

sending::sending(node_id self, const clock& time, transport& network, std::string journal, scribe& records, host& of,
                 const delivery_options& o, journaled_ledger& all, acknowledgements& owed)
    : self_(std::move(self)),
      time_(time),
      network_(network),
      scribe_(records),
      host_(of),
      options_(o),
      ledger_(all),
      acknowledgements_(owed),
      outbox_(std::move(journal), o.out),
      started_(time.wall()) {}

result<void> sending::acceptable(const notification& n, std::size_t bytes) const {
  assert(n.sender == self_);
  if (n.id.empty() || n.id.size() > notification::max_id || ledger_.find(n.id))
    return error{error_code::bad_argument, "not a new id: \"" + n.id.substr(0, notification::max_id) + "\""};
  if (bytes > options_.out.bytes) {
    return error{error_code::bad_argument, to_string(n) + ": " + std::to_string(bytes) + " bytes, at most " +
                                               std::to_string(options_.out.bytes) + " can be sent"};
  }
  if (goes_round(n)) return error{error_code::refused, "it would cause itself again: " + chain_of(n)};
  if (n.causes.size() > notification::max_causes) {
    return error{error_code::refused,
                 "more than " + std::to_string(notification::max_causes) + " causes: " + chain_of(n)};
  }
  if (n.expires <= time_.wall()) {
    return error{error_code::refused, to_string(n) + ": its time passed at " + format_time(n.expires)};
  }
  if (outbox_.depth(n.target) >= options_.waiting) {
    return error{error_code::refused, std::to_string(options_.waiting) + " notifications wait for " + n.target.str()};
  }
  return {};
}

void sending::send(const notification& n, std::size_t bytes) {
  const auto number = outbox_.add(n.target, n, bytes);
  waiting_.emplace(n.id, number);
  scribe_.put(parcel_key(n.target, number), encode(value(n.id)));
  due_.insert(n.target);
  scribe_.soon();
  want_connection(n.target);
}

void sending::send(const node_id& to, const receipt& r) {
  std::string data;
  r.write(data);
  const auto number = outbox_.add(to, r, data.size());
  scribe_.put(parcel_key(to, number), std::move(data));
  due_.insert(to);
  scribe_.soon();
  want_connection(to);
}

void sending::want_connection(const node_id& to) {
  // What is mended before there is a network will be seen to.
  if (is_mended_ && !peers_[to].connected) host_.want_connection(to);
}

bool sending::take_back(const notification& n) {
  const auto at = waiting_.find(n.id);
  return at != waiting_.end() && outbox_.withdraw(n.target, at->second);
}

void sending::forget(const notification& n) {
  const auto at = waiting_.find(n.id);
  if (at == waiting_.end()) return;
  outbox_.drop(n.target, at->second);
  scribe_.remove(parcel_key(n.target, at->second));
  due_.insert(n.target);
  waiting_.erase(at);
}

void sending::hear(const node_id& from, receipt r) {
  const auto* record = ledger_.find(r.id);
  // Only the receiver can tell, and only while nothing else was concluded here.
  if (!record || record->what.sender != self_ || record->what.target != from || ledger_.is_ending(r.id)) return;
  // Its clock may be far from ours, by which records are kept and forgotten.
  r.at = std::max(record->what.created, std::min(r.at, time_.wall()));
  if (!is_terminal(r.state)) r.outcome = {};
  // An end that is shown must not be another one after a crash of this node.
  if (is_terminal(r.state) && !is_terminal(record->state())) return ledger_.conclude(r);
  if (r.state != receipt_state::queued) return ledger_.report(r);
  if (is_terminal(record->state())) return;
  // It was there once, and is not any more. Under its old number it would be taken for a repetition.
  forget(record->what);
  send_again(record->what);
}

result<void> sending::acknowledged(const node_id& by, const value& body) {
  const auto a = acknowledgement::from_body(body);
  if (!a) return a.error();
  for (const auto& item : outbox_.acknowledge(by, *a)) {
    scribe_.remove(parcel_key(by, item.number));
    if (const auto* n = std::get_if<notification>(&item.content)) waiting_.erase(n->id);
  }
  peers_[by].heard = time_.now();
  peers_[by].stalls = 0;
  due_.insert(by);
  // What is forgotten later than this is sent once more after a crash, which does no harm.
  scribe_.end_turn_soon();
  return {};
}

void sending::connected(const hello& peer) {
  peers_[peer.id] = {true, time_.wall(), time_.now(), 0};
  if (outbox_.connected(peer.id, peer.life, peer.journal)) give_up_on(peer.id);
  due_.insert(peer.id);
  scribe_.soon();
}

void sending::give_up_on(const node_id& receiver) {
  const error why{error_code::maybe_done, receiver.str() + " has lost its storage"};
  for (const auto* r : ledger_.shown().list(std::nullopt, receiver)) {
    const auto& n = r->what;
    if (is_terminal(r->state()) || n.sender != self_ || waiting_.count(n.id) > 0 || ledger_.is_ending(n.id)) continue;
    ledger_.conclude({n.id, receipt_state::unknown, time_.wall(), why, {}, false});
  }
}

void sending::disconnected(const node_id& peer) {
  peers_[peer] = {false, time_.wall(), time_.now(), 0};
  outbox_.disconnected(peer);
  due_.insert(peer);
  scribe_.soon();
}

// Time.

void sending::tick() {
  const auto now = time_.wall();
  for (const auto* r : ledger_.shown().overdue(now)) look_after(*r, now);
  for (auto& [id, c] : peers_) look_after(id, c);
  for (const auto& to : outbox_.receivers()) {
    for (auto number : outbox_.drop_receipts(to, now - options_.give_up)) scribe_.remove(parcel_key(to, number));
  }
}

void sending::look_after(const notification_record& overdue, wall_time now) {
  const auto& n = overdue.what;
  // What was taken here is in the host's hands.
  if (n.sender != self_ || n.target == self_ || ledger_.is_ending(n.id)) return;
  if (take_back(n)) {
    const error why{error_code::timeout, n.target.str() + " was out of reach until it was too late"};
    return ledger_.conclude({n.id, receipt_state::expired, now, why, {}, false});
  }
  if (!is_hopeless(overdue, now)) return;
  const error why{error_code::maybe_done, "no word from " + n.target.str() + " of how it ended"};
  ledger_.conclude({n.id, receipt_state::unknown, now, why, {}, false});
}

bool sending::is_hopeless(const notification_record& r, wall_time now) const {
  if (now >= r.what.expires + options_.give_up) return true;
  const auto at = peers_.find(r.what.target);
  const auto receiver = at == peers_.end() ? contact{} : at->second;
  // It has it, and will tell when its turn has come.
  if (receiver.connected && r.state() != receipt_state::queued) return false;
  return now >= std::max({r.what.expires, started_, receiver.since}) + options_.grace;
}

void sending::look_after(const node_id& id, contact& c) {
  if (!c.connected) return;
  if (outbox_.in_flight(id) == 0) c.heard = time_.now();
  if (time_.now() - c.heard >= std::min(options_.stall * (1 << c.stalls), options_.longest_stall)) {
    outbox_.rewind(id);
    c.heard = time_.now();
    c.stalls = std::min(c.stalls + 1, 8);
  }
  // The transport's queue may have been full.
  due_.insert(id);
}

bool sending::is_connected(const node_id& to) const {
  const auto at = peers_.find(to);
  return at != peers_.end() && at->second.connected;
}

std::optional<wall_time> sending::oldest_waiting() const {
  std::optional<wall_time> oldest;
  for (const auto& [id, number] : waiting_) {
    const auto created = ledger_.known(id).what.created;
    if (!oldest || created < *oldest) oldest = created;
  }
  return oldest;
}

// What was gathered.

void sending::turn_ends() {
  auto due = std::exchange(due_, {});
  for (const auto& to : due) send_due(to);
  touched_.merge(std::move(due));
}

void sending::send_due(const node_id& to) {
  while (auto b = outbox_.next(to)) {
    std::vector<message> all;
    const auto along = acknowledgements_.next(to);
    if (along) all.push_back(*along);
    all.push_back({message_kind::parcels, 0, {}, {}, {}, {}, b->packed()});
    if (!network_.send_all(to, all)) return;
    if (along) acknowledgements_.sent(to);
    outbox_.sent(to, *b);
  }
}

void sending::before_write() {
  // Also what this turn has not come to send yet: a parcel's number is reserved in the write that has the parcel.
  touched_.insert(due_.begin(), due_.end());
  std::vector<channel_write> channels;
  for (const auto& to : std::exchange(touched_, {})) {
    auto standing = outbox_.to_store(to);
    if (!standing && outbox_.is_stored(to)) continue;
    if (standing) scribe_.put(standing_key(to), encode(standing->to_value()));
    channels.push_back({to, outbox_.last(to), std::move(standing)});
  }
  if (!channels.empty()) scribe_.then([this, channels = std::move(channels)] { written(channels); });
}

void sending::written(const std::vector<channel_write>& channels) {
  for (const auto& c : channels) {
    outbox_.stored(c.to, c.upto);
    if (c.standing) outbox_.stored(c.to, *c.standing);
    due_.insert(c.to);
  }
  scribe_.end_turn_soon();
}

broken sending::check_turn() const {
  if (due_.empty() || scribe_.will_end_turn()) return {};
  return sentence("something is due for ", *due_.begin(), ", and the turn does not end");
}

broken sending::check() const {
  for (const auto& part : {outbox_.check(), check_turn(), check_queue(), check_waiting(), check_peers()})
    if (part) return part;
  return {};
}

broken sending::check_queue() const {
  broken why;
  std::size_t notifications = 0;
  outbox_.each_waiting([&](const node_id& to, std::uint64_t number, const parcel& p) {
    const auto* n = std::get_if<notification>(&p);
    if (!n || why) return;
    ++notifications;
    const auto at = waiting_.find(n->id);
    if (at == waiting_.end() || at->second != number)
      why = sentence(n->id, " is number ", number, " to ", to, ", and that is not known");
    else if (n->target != to)
      why = sentence(n->id, " waits for ", to, ", and is for ", n->target);
  });
  if (why || notifications == waiting_.size()) return why;
  return sentence(waiting_.size(), " notifications are said to wait, and ", notifications, " do");
}

broken sending::check_waiting() const {
  for (const auto& [id, number] : waiting_) {
    const auto* record = ledger_.find(id);
    if (!record) return sentence(id, " waits, and is not in the ledger");
    if (record->what.sender != self_ || record->what.target == self_)
      return sentence(id, " waits, and is not for others");
    if (is_terminal(record->state())) return sentence(id, " waits, and is ", to_string(record->state()));
    if (ledger_.is_ending(id)) return sentence(id, " waits, and has ended");
  }
  return {};
}

broken sending::check_peers() const {
  for (const auto& [id, c] : peers_)
    if (c.connected != outbox_.is_connected(id))
      return sentence(id,
                      c.connected ? " is connected, and nothing is sent to it" : " is sent to without a connection");
  return {};
}

}  // namespace flock::internal
