#include "libflock/delivery/courier.hpp"

#include <algorithm>
#include <set>

// How a courier's members hang together: the sentences are in courier.hpp.

namespace flock {

using internal::sentence;

broken courier::check() const {
  for (const auto& part : {outbox_.check(), inbox_.check(), ledger_.check(), order_->check(), check_turn(),
                           check_waiting(), check_working(), check_ends(), check_peers()})
    if (part) return part;
  return {};
}

broken courier::check_turn() const {
  if (!(due_.empty() && overdue_.empty()) && !scribe_.will_end_turn())
    return sentence("something is due for ", due_.empty() ? *overdue_.begin() : *due_.begin(),
                    ", and the turn does not end");
  if (!changed_.empty() && !scribe_.will_write())
    return sentence(*changed_.begin(), " has changed, and nobody writes that");
  if (!answers_.empty() && !scribe_.is_busy())
    return sentence(answers_.size(), " wait for something to be durable, and nothing is written");
  if (resumed_ && !(unfinished_.empty() && arrived_early_.empty() && lost_work_.empty()))
    return sentence(unfinished_.size(), " notifications and ", arrived_early_.size(), " batches wait for resume()");
  return {};
}

broken courier::check_waiting() const {
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
  if (why) return why;
  if (notifications != waiting_.size())
    return sentence(waiting_.size(), " notifications are said to wait, and ", notifications, " do");
  for (const auto& [id, number] : waiting_) {
    const auto* record = ledger_.find(id);
    if (!record) return sentence(id, " waits, and is not in the ledger");
    if (record->what.sender != self_ || record->what.target == self_)
      return sentence(id, " waits, and is not for others");
    if (is_terminal(record->state())) return sentence(id, " waits, and is ", to_string(record->state()));
  }
  return {};
}

broken courier::check_working() const {
  std::set<std::uint64_t> numbers;
  for (const auto& [id, w] : working_) {
    const auto* record = ledger_.find(id);
    if (!record) return sentence(id, " is worked on, and is not in the ledger");
    if (record->what.target != self_) return sentence(id, " is worked on, and is for ", record->what.target);
    if (is_terminal(record->state())) return sentence(id, " is worked on, and is ", to_string(record->state()));
    if (w.begun && record->state() != receipt_state::started)
      return sentence(id, " has begun, and is ", to_string(record->state()));
    if (w.number > last_number_ || !numbers.insert(w.number).second)
      return sentence(id, " has number ", w.number, ", which was not given to it; the last is ", last_number_);
  }
  for (const auto* r : ledger_.overdue(wall_time::max()))
    if (r->what.target == self_ && !working_.contains(r->what.id) && !ends_.contains(r->what.id))
      return sentence(r->what.id, " is ", to_string(r->state()), ", and nobody works on it");
  return {};
}

broken courier::check_ends() const {
  for (const auto& [id, end] : ends_) {
    const auto* record = ledger_.find(id);
    if (!record || is_terminal(record->state()) || !is_terminal(end.state))
      return sentence(id, " is to be ", to_string(end.state), ", and is ",
                      record ? to_string(record->state()) : "not in the ledger");
    if (waiting_.contains(id) || working_.contains(id)) return sentence(id, " is dealt with, and has ended");
  }
  return {};
}

broken courier::check_peers() const {
  for (const auto& [id, c] : peers_)
    if (c.connected != outbox_.is_connected(id))
      return sentence(id,
                      c.connected ? " is connected, and nothing is sent to it" : " is sent to without a connection");
  return {};
}

bool courier::is_connected(const node_id& to) const {
  const auto at = peers_.find(to);
  return at != peers_.end() && at->second.connected;
}

}  // namespace flock
