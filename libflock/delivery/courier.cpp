#include "libflock/delivery/courier.hpp"

#include <cassert>
#include <utility>

namespace flock {

using internal::sentence;
using internal::whole_at_end;

courier::courier(node_id self, const incarnation& life, std::shared_ptr<mailbox> home, const clock& time,
                 transport& network, storage& disk, scribe& records, host& of, options o)
    : self_(std::move(self)),
      life_(life),
      home_(std::move(home)),
      time_(time),
      disk_(disk),
      scribe_(records),
      host_(of),
      options_(o),
      ledger_(o.keep, records, *this),
      acknowledgements_(inbox_, network, records, o.unacknowledged),
      sending_(self_, time, network, disk.id(), records, of, options_, ledger_, acknowledgements_),
      receiving_(self_, disk.id(), home_, time, records, of, options_, ledger_, inbox_, acknowledgements_, sending_) {
  scribe_.join(*this);
}

result<void> courier::restore() {
  internal::recovery from(disk_, scribe_);
  auto done = ledger_.restore(from);
  if (done) done = sending_.restore(from);
  if (done) done = receiving_.restore(from);
  if (!done) return done;
  sending_.mend(from);
  repairs_ = from.repairs();
  scribe_.soon();
  return {};
}

void courier::resume() {
  assert(home_->has_turn());
  const whole_at_end look([this] { return check_turn(); });
  receiving_.resume();
}

result<void> courier::received(const hello& from, const message& m) {
  assert(home_->has_turn());
  const whole_at_end look([this] { return check_turn(); });
  if (m.kind == message_kind::acknowledge) return sending_.acknowledged(from.id, m.body);
  if (m.kind != message_kind::parcels) return error{error_code::protocol, "not for a courier"};
  auto b = m.packed.empty() ? batch::from_body(m.body) : batch::read(m.packed);
  if (!b) return b.error();
  if (b->channel != from.journal) {
    return error{error_code::protocol, from.id.str() + " sends on " + b->channel + ", not on " + from.journal};
  }
  // If not, its sender has not noticed yet who is here now, and will send again; so it will what the disk cannot take.
  if (b->to == life_ && !disk_.trouble()) receiving_.take(from.id, *std::move(b));
  return {};
}

void courier::submit(notification n, answer taken) {
  assert(home_->has_turn());
  const whole_at_end look([this] { return check_turn(); });
  if (auto why = disk_.trouble()) return taken(why->within(to_string(n) + " cannot be kept"));
  std::string form;
  n.write(form);
  if (auto fit = sending_.acceptable(n, form.size()); !fit) return taken(fit.error());
  const auto id = n.id;
  const auto& record = ledger_.add(std::move(n), {id, receipt_state::queued, time_.wall(), {}, {}, false});
  if (record.what.target == self_)
    receiving_.take_own(record.what);
  else
    sending_.send(record.what, form.size());
  answer_when_durable(std::move(taken));
}

void courier::cancel(std::string_view id, answer done) {
  assert(home_->has_turn());
  const whole_at_end look([this] { return check_turn(); });
  if (auto why = disk_.trouble()) return done(why->within(std::string(id) + " cannot be cancelled"));
  const auto* record = ledger_.find(id);
  if (!record || record->what.sender != self_)
    return done(error{error_code::not_found, "no notification " + std::string(id) + " was made here"});
  if (!sending_.take_back(record->what)) {
    const auto state = std::string(to_string(record->state()));
    return done(error{error_code::refused, std::string(id) + " is " + state + ", and may be on its way"});
  }
  ledger_.conclude({record->what.id, receipt_state::cancelled, time_.wall(), {}, {}, false});
  answer_when_durable(std::move(done));
}

void courier::connected(const hello& peer) {
  assert(home_->has_turn());
  const whole_at_end look([this] { return check_turn(); });
  sending_.connected(peer);
  receiving_.connected(peer);
}

void courier::disconnected(const hello& peer) {
  assert(home_->has_turn());
  const whole_at_end look([this] { return check_turn(); });
  receiving_.disconnected(peer.id);
  sending_.disconnected(peer.id);
}

void courier::tick() {
  assert(home_->has_turn());
  const whole_at_end look([this] { return check_turn(); });
  if (auto why = disk_.trouble()) not_written(*why);
  sending_.tick();
  ledger_.trim(time_.wall());
  acknowledgements_.all_overdue();
  scribe_.soon();
}

void courier::acknowledge_all() {
  assert(home_->has_turn());
  const whole_at_end look([this] { return check_turn(); });
  acknowledgements_.all_overdue();
}

bool courier::is_performing() const { return ledger_.is_anything_ending() || receiving_.is_performing(); }

void courier::moves(const notification& n, const receipt& to) {
  host_.moves(n, to);
  if (is_terminal(to.state)) sending_.forget(n);
  if (n.sender != self_) sending_.send(n.sender, to);
}

void courier::turn_ends() {
  sending_.turn_ends();
  acknowledgements_.turn_ends();
}

void courier::before_write() {
  sending_.before_write();
  ledger_.before_write();
}

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

broken courier::check() const {
  for (const auto& part : {inbox_.check(), ledger_.check(), sending_.check(), receiving_.check(), check_turn()})
    if (part) return part;
  return {};
}

broken courier::check_turn() const {
  for (const auto& part : {sending_.check_turn(), acknowledgements_.check_turn(), receiving_.check_turn()})
    if (part) return part;
  if (!answers_.empty() && !scribe_.is_busy())
    return sentence(answers_.size(), " wait for something to be durable, and nothing is written");
  return {};
}

}  // namespace flock
