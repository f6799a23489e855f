#include "libflock/delivery/courier.hpp"

#include "libflock/delivery/courier_keys.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace flock {

using namespace internal::courier_keys;
using internal::whole_at_end;

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

courier::courier(node_id self, const incarnation& life, std::shared_ptr<mailbox> home, const clock& time,
                 transport& network, storage& disk, scribe& records, host& of, options o)
    : self_(std::move(self)),
      life_(life),
      home_(std::move(home)),
      time_(time),
      network_(network),
      disk_(disk),
      scribe_(records),
      host_(of),
      options_(o),
      outbox_(disk.id(), o.out),
      ledger_(o.keep),
      started_(time.wall()) {
  scribe_.join(*this);
}

void courier::resume() {
  assert(home_->has_turn());
  const whole_at_end look([this] { return check_turn(); });
  resumed_ = true;
  for (const auto& id : std::exchange(unfinished_, {})) pick_up(id);
  for (auto& [from, b] : std::exchange(arrived_early_, {})) take(from, std::move(b));
}

// The way here.

result<void> courier::received(const hello& from, const message& m) {
  assert(home_->has_turn());
  const whole_at_end look([this] { return check_turn(); });
  if (m.kind == message_kind::acknowledge) return settle(from.id, m.body);
  if (m.kind != message_kind::parcels) return error{error_code::protocol, "not for a courier"};
  auto b = m.packed.empty() ? batch::from_body(m.body) : batch::read(m.packed);
  if (!b) return b.error();
  if (b->channel != from.journal) {
    return error{error_code::protocol, from.id.str() + " sends on " + b->channel + ", not on " + from.journal};
  }
  // If not, its sender has not noticed yet who is here now, and will send again; so it will what the disk cannot take.
  if (b->to == life_ && !disk_.trouble()) take(from.id, *std::move(b));
  return {};
}

void courier::take(const node_id& from, batch b) {
  if (!resumed_) {
    arrived_early_.emplace_back(from, std::move(b));
    return;
  }
  const auto channel = b.channel;
  const auto again = b.again;
  auto taken = inbox_.receive(from, std::move(b));
  if (taken.repeated) acknowledge_again(from, channel);
  if (taken.fresh.empty()) return;
  const auto upto = taken.fresh.back().number;
  for (auto& item : taken.fresh) {
    if (auto* n = std::get_if<notification>(&item.content))
      arrive(from, std::move(*n), {work_key(from, channel, item.number), item.number <= again});
    else
      hear(from, std::move(std::get<receipt>(item.content)));
  }
  scribe_.put(position_key(from, channel), encode(value(upto)));
  scribe_.then([this, from, channel, upto, count = taken.fresh.size()] {
    inbox_.safe(from, channel, upto);
    acknowledge(from, channel, count);
  });
  scribe_.soon();
}

void courier::arrive(const node_id& from, notification n, work w) {
  const auto now = time_.wall();
  if (n.sender != from || n.target != self_) {
    const auto text = to_string(n) + " from " + n.sender.str() + " was sent to " + self_.str() + " by " + from.str();
    return refuse(from, n.id, {error_code::refused, text});
  }
  const auto id = n.id;
  const auto admitted = host_.admit(n);
  receipt first{id, receipt_state::accepted, now, {}, {}, false};
  if (!admitted) first = {id, receipt_state::failed, now, admitted.error(), {}, false};
  if (const auto* known = ledger_.find(id)) {
    if (known->what.sender != from) return refuse(from, id, {error_code::conflict, id + " is known here"});
    // One of the two has lost something, and was mended: what is said again does no harm.
    return post(from, known->last());
  }
  ledger_.add(std::move(n), first);
  const auto& record = known(id);
  announce(record);
  w.number = ++last_number_;
  if (admitted) return begin(record.what, std::move(w));
  let_others_wait({{from, record.what.actor}, w.number, id});
}

/// Of what is not even kept here.
void courier::refuse(const node_id& from, const std::string& id, const error& why) {
  post(from, {id, receipt_state::failed, time_.wall(), why, {}, false});
}

// The way there.

result<void> courier::acceptable(const notification& n, std::size_t bytes) const {
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

void courier::submit(notification n, answer taken) {
  assert(home_->has_turn());
  const whole_at_end look([this] { return check_turn(); });
  if (auto why = disk_.trouble()) return taken(why->within(to_string(n) + " cannot be kept"));
  std::string form;
  n.write(form);
  const auto bytes = form.size();
  if (auto fit = acceptable(n, bytes); !fit) return taken(fit.error());
  const auto id = n.id;
  ledger_.add(std::move(n), {id, receipt_state::queued, time_.wall(), {}, {}, false});
  const auto& record = known(id);
  announce(record);
  if (record.what.target == self_)
    submit_here(record.what);
  else
    queue(record.what, bytes);
  answer_when_durable(std::move(taken));
}

void courier::queue(const notification& n, std::size_t bytes) {
  const auto number = outbox_.add(n.target, n, bytes);
  waiting_.emplace(n.id, number);
  scribe_.put(parcel_key(n.target, number), encode(value(n.id)));
  due_.insert(n.target);
  scribe_.soon();
  want_connection(n.target);
}

void courier::submit_here(const notification& n) {
  const auto key = work_key(self_, disk_.id(), ++taken_here_);
  scribe_.put(key, encode(value(n.id)));
  working_.emplace(n.id, work{.key = key, .number = ++last_number_});
  if (resumed_)
    pick_up(n.id);
  else
    unfinished_.push_back(n.id);
}

void courier::cancel(std::string_view id, answer done) {
  assert(home_->has_turn());
  const whole_at_end look([this] { return check_turn(); });
  if (auto why = disk_.trouble()) return done(why->within(std::string(id) + " cannot be cancelled"));
  const auto* record = ledger_.find(id);
  if (!record || record->what.sender != self_)
    return done(error{error_code::not_found, "no notification " + std::string(id) + " was made here"});
  const auto at = waiting_.find(id);
  if (at == waiting_.end() || !outbox_.withdraw(record->what.target, at->second)) {
    const auto state = std::string(to_string(record->state()));
    return done(error{error_code::refused, std::string(id) + " is " + state + ", and may be on its way"});
  }
  conclude({record->what.id, receipt_state::cancelled, time_.wall(), {}, {}, false});
  answer_when_durable(std::move(done));
}

void courier::hear(const node_id& from, receipt r) {
  const auto* record = ledger_.find(r.id);
  // Only the receiver can tell, and only while nothing else was concluded here.
  if (!record || record->what.sender != self_ || record->what.target != from || ends_.count(r.id) > 0) return;
  // Its clock may be far from ours, by which records are kept and forgotten.
  r.at = std::max(record->what.created, std::min(r.at, time_.wall()));
  if (!is_terminal(r.state)) r.outcome = {};
  // An end that is shown must not be another one after a crash of this node.
  if (is_terminal(r.state) && !is_terminal(record->state())) return conclude(r);
  if (r.state != receipt_state::queued) return report(r);
  if (is_terminal(record->state())) return;
  // It was there once, and is not any more. Under its old number it would be taken for a repetition.
  forget_parcel(record->what);
  send_again(record->what);
}

result<void> courier::settle(const node_id& from, const value& body) {
  auto a = acknowledgement::from_body(body);
  if (!a) return a.error();
  for (const auto& item : outbox_.acknowledge(from, *a)) {
    scribe_.remove(parcel_key(from, item.number));
    if (const auto* n = std::get_if<notification>(&item.content)) waiting_.erase(n->id);
  }
  peers_[from].heard = time_.now();
  peers_[from].stalls = 0;
  due_.insert(from);
  // What is forgotten later than this is sent once more after a crash, which does no harm.
  scribe_.end_turn_soon();
  return {};
}

void courier::forget_parcel(const notification& n) {
  const auto at = waiting_.find(n.id);
  if (at == waiting_.end()) return;
  outbox_.drop(n.target, at->second);
  scribe_.remove(parcel_key(n.target, at->second));
  due_.insert(n.target);
  waiting_.erase(at);
}

// Both.

/// What waits, is worked on or ends here is in the ledger until it has ended.
const notification_record& courier::known(std::string_view id) const {
  const auto* record = ledger_.find(id);
  assert(record && "what is dealt with here is in the ledger");
  return *record;
}

void courier::report(const receipt& r) {
  if (ledger_.record(r)) announce(known(r.id));
}

void courier::conclude(const receipt& end) {
  const auto& n = known(end.id).what;
  host_.moves(n, end);
  ends_.emplace(end.id, end);
  changed_.insert(end.id);
  forget_parcel(n);
  if (n.sender != self_) post(n.sender, end);
  scribe_.then([this, id = end.id] {
    if (auto kept = ends_.extract(id); kept && ledger_.record(kept.mapped())) host_.progressed(known(id));
  });
  scribe_.soon();
}

void courier::announce(const notification_record& r) {
  host_.moves(r.what, r.last());
  changed_.insert(r.what.id);
  if (is_terminal(r.state())) forget_parcel(r.what);
  if (r.what.sender != self_) post(r.what.sender, r.last());
  scribe_.soon();
  if (!is_terminal(r.state())) return host_.progressed(r);
  scribe_.then([this, id = r.what.id] {
    if (const auto* kept = ledger_.find(id)) host_.progressed(*kept);
  });
}

void courier::post(const node_id& to, const receipt& r) {
  std::string data;
  r.write(data);
  const auto number = outbox_.add(to, r, data.size());
  scribe_.put(parcel_key(to, number), std::move(data));
  due_.insert(to);
  scribe_.soon();
  want_connection(to);
}

void courier::want_connection(const node_id& to) {
  // What is mended before there is a network will be seen to.
  if (is_restored_ && !peers_[to].connected) host_.want_connection(to);
}

void courier::acknowledge(const node_id& to, const std::string& channel, std::size_t parcels) {
  auto& o = owed_[to];
  o.channel = channel;
  o.parcels += parcels;
  if (o.parcels >= options_.unacknowledged) acknowledge_again(to, channel);
}

void courier::acknowledge_again(const node_id& to, const std::string& channel) {
  owed_[to].channel = channel;
  overdue_.insert(to);
  scribe_.end_turn_soon();
}

void courier::acknowledge_all() {
  assert(home_->has_turn());
  const whole_at_end look([this] { return check_turn(); });
  for (const auto& [to, o] : owed_) overdue_.insert(to);
  if (!overdue_.empty()) scribe_.end_turn_soon();
}

void courier::connected(const hello& peer) {
  assert(home_->has_turn());
  const whole_at_end look([this] { return check_turn(); });
  peers_[peer.id] = {true, time_.wall(), time_.now(), 0};
  if (outbox_.connected(peer.id, peer.life, peer.journal)) give_up_on(peer.id);
  for (const auto& channel : inbox_.forget_others(peer.id, peer.journal))
    scribe_.remove(position_key(peer.id, channel));
  due_.insert(peer.id);
  scribe_.soon();
}

void courier::give_up_on(const node_id& receiver) {
  const error why{error_code::maybe_done, receiver.str() + " has lost its storage"};
  for (const auto* r : ledger_.list(std::nullopt, receiver)) {
    const auto& n = r->what;
    if (is_terminal(r->state()) || n.sender != self_ || waiting_.count(n.id) > 0 || ends_.count(n.id) > 0) continue;
    conclude({n.id, receipt_state::unknown, time_.wall(), why, {}, false});
  }
}

void courier::disconnected(const hello& peer) {
  assert(home_->has_turn());
  const whole_at_end look([this] { return check_turn(); });
  peers_[peer.id] = {false, time_.wall(), time_.now(), 0};
  owed_.erase(peer.id);  // what it sends again is acknowledged again
  // It sends again what was not taken; whether it is admitted can be told only while it is connected.
  std::erase_if(arrived_early_, [&](const auto& early) { return early.first == peer.id; });
  outbox_.disconnected(peer.id);
  due_.insert(peer.id);
  scribe_.soon();
}

// Time.

void courier::tick() {
  assert(home_->has_turn());
  const whole_at_end look([this] { return check_turn(); });
  if (auto why = disk_.trouble()) not_written(*why);
  const auto now = time_.wall();
  for (const auto* r : ledger_.overdue(now)) look_after(*r, now);
  for (auto& [id, c] : peers_) look_after(id, c);
  for (const auto& to : outbox_.receivers()) {
    for (auto number : outbox_.drop_receipts(to, now - options_.give_up)) scribe_.remove(parcel_key(to, number));
  }
  for (auto& id : ledger_.trim(now)) changed_.insert(std::move(id));
  scribe_.soon();
  acknowledge_all();
}

void courier::look_after(const notification_record& overdue, wall_time now) {
  const auto& n = overdue.what;
  // What was taken here is in the host's hands.
  if (n.sender != self_ || n.target == self_ || ends_.count(n.id) > 0) return;
  const auto at = waiting_.find(n.id);
  if (at != waiting_.end() && outbox_.withdraw(n.target, at->second)) {
    const error why{error_code::timeout, n.target.str() + " was out of reach until it was too late"};
    return conclude({n.id, receipt_state::expired, now, why, {}, false});
  }
  if (!is_hopeless(overdue, now)) return;
  const error why{error_code::maybe_done, "no word from " + n.target.str() + " of how it ended"};
  conclude({n.id, receipt_state::unknown, now, why, {}, false});
}

bool courier::is_hopeless(const notification_record& r, wall_time now) const {
  if (now >= r.what.expires + options_.give_up) return true;
  const auto at = peers_.find(r.what.target);
  const auto receiver = at == peers_.end() ? contact{} : at->second;
  // It has it, and will tell when its turn has come.
  if (receiver.connected && r.state() != receipt_state::queued) return false;
  return now >= std::max({r.what.expires, started_, receiver.since}) + options_.grace;
}

void courier::look_after(const node_id& id, contact& c) {
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

bool courier::is_performing() const {
  return !ends_.empty() ||
         std::any_of(working_.begin(), working_.end(), [](const auto& w) { return w.second.in_hand; });
}

std::optional<wall_time> courier::oldest_waiting() const {
  std::optional<wall_time> oldest;
  for (const auto& [id, number] : waiting_) {
    const auto created = known(id).what.created;
    if (!oldest || created < *oldest) oldest = created;
  }
  return oldest;
}

// What was gathered.

void courier::answer_when_durable(answer a) {
  const auto number = next_answer_++;
  answers_.emplace(number, std::move(a));
  scribe_.then([this, number] {
    if (auto waiting = answers_.extract(number)) waiting.mapped()({});
  });
  scribe_.hurry();
  scribe_.soon();
}

void courier::not_written(const error& why) {
  for (auto& [number, a] : std::exchange(answers_, {}))
    a(error{error_code::maybe_done, "not durable yet: " + why.what});
}

void courier::turn_ends() {
  auto due = std::exchange(due_, {});
  for (const auto& to : due) send_due(to);
  touched_.merge(std::move(due));
  for (const auto& to : std::exchange(overdue_, {})) {
    // One that does not get there is made up for: the parcels come once more, and are acknowledged again.
    if (const auto o = owed_.extract(to)) (void)network_.send(to, acknowledgement_of(to, o.mapped()));
  }
}

void courier::send_due(const node_id& to) {
  while (auto b = outbox_.next(to)) {
    std::vector<message> all;
    const auto o = owed_.find(to);
    if (o != owed_.end()) all.push_back(acknowledgement_of(to, o->second));
    all.push_back({message_kind::parcels, 0, {}, {}, {}, {}, b->packed()});
    if (!network_.send_all(to, all)) return;
    if (o != owed_.end()) owed_.erase(o);
    outbox_.sent(to, *b);
  }
}

message courier::acknowledgement_of(const node_id& to, const owed& o) const {
  return {message_kind::acknowledge, 0, {}, {}, {}, inbox_.safe_upto(to, o.channel).to_body()};
}

}  // namespace flock
