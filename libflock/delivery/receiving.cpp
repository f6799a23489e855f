#include "libflock/delivery/receiving.hpp"

#include "libflock/delivery/courier_keys.hpp"
#include <flock/value_cast.hpp>

#include <algorithm>
#include <cassert>
#include <optional>
#include <set>

namespace flock::internal {

using namespace courier_keys;

namespace {

// Of an error's text that is sent: enough for people.
constexpr std::size_t longest_text = 4096;

/// What a failed action's outcome says of why, which is no longer in it afterwards.
error extract_error(value& outcome, const notification& n) {
  const auto said = outcome["error"];
  outcome.as_map()->erase("error");
  const auto* code = said["code"].as_text();
  const auto* message = said["message"].as_text();
  return {(code ? error_code_from(*code) : std::nullopt).value_or(error_code::io),
          message ? *message : to_string(n) + " failed"};
}

/// Makes a receipt fit a message: an outcome that is too large is left out, and that is said.
void bound(receipt& r, std::size_t bytes) {
  if (const auto size = encode(r.outcome).size(); size > bytes) {
    const auto text = "an outcome of " + std::to_string(size) + " bytes was left out";
    r.outcome = {};
    r.why = r.why ? error{r.why->code, r.why->what + "; " + text} : error{error_code::refused, text};
  }
  if (r.why && r.why->what.size() > longest_text) r.why->what.resize(longest_text);
}

}  // namespace

receiving::receiving(node_id self, std::string journal, std::shared_ptr<mailbox> home, const clock& time,
                     scribe& records, host& of, const delivery_options& o, journaled_ledger& all, inbox& in,
                     acknowledgements& owed, sending& back)
    : self_(std::move(self)),
      journal_(std::move(journal)),
      home_(std::move(home)),
      time_(time),
      scribe_(records),
      host_(of),
      options_(o),
      ledger_(all),
      inbox_(in),
      acknowledgements_(owed),
      sending_(back) {}

void receiving::resume() {
  resumed_ = true;
  for (const auto& id : std::exchange(unfinished_, {})) pick_up(id);
  for (auto& [from, b] : std::exchange(arrived_early_, {})) take(from, std::move(b));
}

// From the sender to the ledger.

void receiving::take(const node_id& from, batch b) {
  if (!resumed_) {
    arrived_early_.emplace_back(from, std::move(b));
    return;
  }
  const auto channel = b.channel;
  const auto again = b.again;
  auto taken = inbox_.receive(from, std::move(b));
  if (taken.repeated) acknowledgements_.owe_again(from, channel);
  if (taken.fresh.empty()) return;
  const auto upto = taken.fresh.back().number;
  for (auto& item : taken.fresh) {
    if (auto* n = std::get_if<notification>(&item.content))
      arrive(from, std::move(*n), {work_key(from, channel, item.number), item.number <= again});
    else
      sending_.hear(from, std::move(std::get<receipt>(item.content)));
  }
  scribe_.put(position_key(from, channel), encode(value(upto)));
  scribe_.then([this, from, channel, upto, count = taken.fresh.size()] {
    inbox_.safe(from, channel, upto);
    acknowledgements_.owe(from, channel, count);
  });
  scribe_.soon();
}

void receiving::arrive(const node_id& from, notification n, work w) {
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
    return sending_.send(from, known->last());
  }
  const auto& record = ledger_.add(std::move(n), first);
  w.number = ++last_number_;
  if (admitted) return begin(record.what, std::move(w));
  let_others_wait({{from, record.what.actor}, w.number, id});
}

/// Of what is not even kept here.
void receiving::refuse(const node_id& from, const std::string& id, const error& why) {
  sending_.send(from, {id, receipt_state::failed, time_.wall(), why, {}, false});
}

void receiving::begin(const notification& n, work w) {
  scribe_.put(w.key, encode(value(n.id)));
  working_.insert_or_assign(n.id, std::move(w));
  hand_over(n);
}

void receiving::take_own(const notification& n) {
  const auto key = work_key(self_, journal_, ++taken_here_);
  scribe_.put(key, encode(value(n.id)));
  working_.emplace(n.id, work{.key = key, .number = ++last_number_});
  if (resumed_)
    pick_up(n.id);
  else
    unfinished_.push_back(n.id);
}

// From the ledger to the host: in which order it starts, and how it ends.

void receiving::pick_up(const std::string& id) {
  const auto& record = ledger_.known(id);
  if (record.state() != receipt_state::queued) return hand_over(record.what);
  // To this node itself, and nobody has looked at it yet.
  if (auto admitted = host_.admit(record.what); !admitted) return ended(id, admitted.error());
  ledger_.report({id, receipt_state::accepted, time_.wall(), {}, {}, false});
  hand_over(record.what);
}

void receiving::hand_over(const notification& n) {
  const auto& id = n.id;
  if (n.expires <= time_.wall()) return ended(id, error{error_code::timeout, "it came too late"});
  const auto at = working_.find(id);
  assert(at != working_.end() && "what is handed over is worked on");
  auto& w = at->second;
  w.in_hand = true;
  const auto turn = std::make_shared<start_turn>(order_, start_order::place{{n.sender, n.actor}, w.number, id});
  host_.perform(  // calls both on any thread
      n,
      [this, home = home_, turn] {
        if (!turn->begin()) return false;
        home->post([this, turn] { began(turn->place().id); });
        return true;
      },
      [this, home = home_, turn](result<value> how) {
        turn->end(how);
        home->post([this, turn, how = std::move(how)] {
          if (turn->was_sent_back()) return came_back(turn->place());
          ended(turn->place().id, how);
        });
      });
}

void receiving::came_back(const start_order::place& p) {
  const auto at = working_.find(p.id);
  assert(at != working_.end() && "what was sent back has not ended");
  at->second.in_hand = false;
  hand_over(order_->came_back(p));
}

/// Until it is durable that this one does not start, none behind it does.
void receiving::let_others_wait(const start_order::place& p) {
  order_->will_not_start(p);
  scribe_.then([this, p] { hand_over(order_->durable(p)); });
}

void receiving::hand_over(const std::vector<std::string>& again) {
  for (const auto& id : again) hand_over(ledger_.known(id).what);
}

void receiving::began(const std::string& id) {
  const auto at = working_.find(id);
  if (at == working_.end()) return;
  auto& w = at->second;
  // Begun once more, by somebody else: how far the first one came is not known.
  w.maybe_begun = w.maybe_begun || w.begun;
  w.begun = true;
  ledger_.report({id, receipt_state::started, time_.wall(), {}, {}, w.maybe_begun});
}

void receiving::ended(const std::string& id, const result<value>& how) {
  const auto at = working_.find(id);
  if (at == working_.end()) return;
  at->second.in_hand = false;
  if (!how && how.error().code == error_code::shutting_down) return;
  const auto& n = ledger_.known(id).what;
  const auto end = end_of(n, at->second, how);
  if (!at->second.begun) let_others_wait({{n.sender, n.actor}, at->second.number, id});
  scribe_.remove(at->second.key);
  working_.erase(at);
  ledger_.conclude(end);
}

receipt receiving::end_of(const notification& n, const work& w, const result<value>& how) const {
  receipt r{n.id, receipt_state::succeeded, time_.wall(), {}, {}, w.maybe_begun && w.begun};
  if (how) {
    r.outcome = *how;
    const auto* outcome = r.outcome["outcome"].as_text();
    if (outcome && *outcome == to_string(outcome::failed)) {
      r.state = receipt_state::failed;
      r.why = extract_error(r.outcome, n);
    }
  } else {
    r.why = how.error();
    r.state = receipt_state::failed;
    const bool too_late = r.why->code == error_code::timeout && !w.begun;
    if (too_late && w.maybe_begun)
      r.why = error{error_code::maybe_done, "it may have been started before a crash, and is too late to be again"};
    if (r.why->code == error_code::maybe_done)
      r.state = receipt_state::unknown;
    else if (too_late)
      r.state = receipt_state::expired;
  }
  bound(r, options_.out.bytes);
  return r;
}

bool receiving::is_performing() const {
  return std::any_of(working_.begin(), working_.end(), [](const auto& w) { return w.second.in_hand; });
}

// Connections.

void receiving::connected(const hello& peer) {
  for (const auto& channel : inbox_.forget_others(peer.id, peer.journal))
    scribe_.remove(position_key(peer.id, channel));
}

void receiving::disconnected(const node_id& peer) {
  acknowledgements_.forget(peer);
  // It sends again what was not taken; whether it is admitted can be told only while it is connected.
  std::erase_if(arrived_early_, [&](const auto& early) { return early.first == peer; });
}

// From storage.

result<void> receiving::restore(recovery& from) {
  auto done = from.read("i/", [this](auto& rest, auto& data) { return restore_position(rest, data); });
  if (!done) return done;
  done = from.read("w/", [&](auto& rest, auto& data) { return restore_work(from, rest, data); });
  if (!done) return done;
  adopt_orphans(from);
  ask_for_what_was_lost();
  return {};
}

result<void> receiving::restore_position(const std::string& rest, const value& data) {
  auto from = node_in(rest);
  if (!from) return from.error();
  auto upto = from_value<std::uint64_t>(data);
  if (!upto) return upto.error();
  inbox_.restore(*from, rest.substr(std::min(rest.size(), from->str().size() + 1)), *upto);
  return {};
}

result<void> receiving::restore_work(recovery& from, const std::string& rest, const value& data) {
  auto sender = node_in(rest);
  if (!sender) return sender.error();
  auto number = number_in(rest);
  if (!number) return number.error();
  const auto* id = data.as_text();
  if (!id) return error{error_code::io, "not the id of a notification"};
  if (!ledger_.find(*id)) {
    scribe_.remove("w/" + rest);
    lose_work(from, *sender, *id);
    return {};
  }
  taken_here_ = std::max(taken_here_, *number);
  // Also if it is queued: that it was begun may have been recorded too late.
  working_.emplace(*id, work{.key = "w/" + rest, .maybe_begun = true, .number = ++last_number_});
  unfinished_.push_back(*id);
  return {};
}

void receiving::lose_work(recovery& from, const node_id& sender, const std::string& id) {
  if (sender == self_)
    return from.say("the notification " + id + " to this node itself is lost: its record was damaged");
  lost_work_.emplace_back(sender, id);
  from.say("the record of notification " + id + " was damaged: " + sender.str() + " is asked to send it again");
}

/// Whatever was taken here and has no end has a record of its work, unless that was damaged.
void receiving::adopt_orphans(recovery& from) {
  auto all = ledger_.shown().list(std::nullopt, self_);
  for (auto at = all.rbegin(); at != all.rend(); ++at) {
    const auto& r = **at;
    if (is_terminal(r.state()) || working_.count(r.what.id) > 0) continue;
    const auto key = work_key(r.what.sender, "repaired", ++taken_here_);
    scribe_.put(key, encode(value(r.what.id)));
    working_.emplace(r.what.id, work{.key = key, .maybe_begun = true, .number = ++last_number_});
    unfinished_.push_back(r.what.id);
    from.say("the work for notification " + r.what.id + " was damaged: it is performed once more");
  }
}

void receiving::ask_for_what_was_lost() {
  for (const auto& [sender, id] : std::exchange(lost_work_, {}))
    sending_.send(sender, {id, receipt_state::queued, time_.wall(), {}, {}, false});
}

broken receiving::check() const {
  for (const auto& part : {order_->check(), check_turn(), check_working(), check_taken()})
    if (part) return part;
  return {};
}

broken receiving::check_turn() const {
  if (!resumed_ || (unfinished_.empty() && arrived_early_.empty() && lost_work_.empty())) return {};
  return sentence(unfinished_.size(), " notifications and ", arrived_early_.size(), " batches wait for resume()");
}

broken receiving::check_working() const {
  std::set<std::uint64_t> numbers;
  for (const auto& [id, w] : working_) {
    const auto* record = ledger_.find(id);
    if (!record) return sentence(id, " is worked on, and is not in the ledger");
    if (record->what.target != self_) return sentence(id, " is worked on, and is for ", record->what.target);
    if (is_terminal(record->state())) return sentence(id, " is worked on, and is ", to_string(record->state()));
    if (ledger_.is_ending(id)) return sentence(id, " is worked on, and has ended");
    if (w.begun && record->state() != receipt_state::started)
      return sentence(id, " has begun, and is ", to_string(record->state()));
    if (w.number > last_number_ || !numbers.insert(w.number).second)
      return sentence(id, " has number ", w.number, ", which was not given to it; the last is ", last_number_);
  }
  return {};
}

broken receiving::check_taken() const {
  for (const auto* r : ledger_.shown().overdue(wall_time::max()))
    if (r->what.target == self_ && !working_.contains(r->what.id) && !ledger_.is_ending(r->what.id))
      return sentence(r->what.id, " is ", to_string(r->state()), ", and nobody works on it");
  return {};
}

}  // namespace flock::internal
