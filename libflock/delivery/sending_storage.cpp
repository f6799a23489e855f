#include "libflock/delivery/courier_keys.hpp"
#include "libflock/delivery/sending.hpp"

#include <utility>

// How what was to be sent comes back from storage, and is made up for if that was damaged.

namespace flock::internal {

using namespace courier_keys;

result<void> sending::restore(recovery& from) {
  started_ = time_.wall();
  auto done = from.read("c/", [this](auto& rest, auto& data) { return restore_standing(rest, data); });
  if (!done) return done;
  restore_lost_standings(from);
  return from.read("o/", [&](auto& rest, auto& data) { return restore_parcel(from, rest, data); });
}

result<void> sending::restore_standing(const std::string& rest, const value& data) {
  auto to = node_in(rest);
  if (!to) return to.error();
  auto standing = outbox::standing::from_value(data);
  if (!standing) return standing.error();
  outbox_.restore(*to, *standing);
  return {};
}

/// Which numbers were given is not known any more, and one given twice would be taken for a repetition. One a
/// millisecond since 1970 is more than any channel ever had, also if this happens to it again.
void sending::restore_lost_standings(recovery& from) {
  for (const auto& to : from.damaged_nodes("c/")) {
    outbox::standing s;
    s.reserved = static_cast<std::uint64_t>(time_.wall().time_since_epoch().count());
    s.sent = std::nullopt;
    outbox_.restore(to, s);
    scribe_.put(standing_key(to), encode(s.to_value()));
    from.say("the state of the channel to " + to.str() + " was damaged: its numbers go on from " +
             std::to_string(s.reserved));
  }
}

result<void> sending::restore_parcel(recovery& from, const std::string& rest, const value& data) {
  auto to = node_in(rest);
  if (!to) return to.error();
  auto number = number_in(rest);
  if (!number) return number.error();
  if (const auto* id = data.as_text()) {
    const auto* record = ledger_.find(*id);
    if (!record) {
      scribe_.remove("o/" + rest);
      from.say("the notification " + *id + " to " + to->str() + " is lost: its record was damaged");
      return {};
    }
    if (record->what.sender != self_ || record->what.target != *to || waiting_.contains(*id))
      return error{error_code::bad_argument, *id + " is no notification that waits for " + to->str()};
    std::string packed;
    record->what.write(packed);
    outbox_.restore(*to, *number, record->what, packed.size());
    waiting_.emplace(*id, *number);
    return {};
  }
  auto r = receipt::from_value(data);
  if (!r) return r.error();
  outbox_.restore(*to, *number, *std::move(r), encode(data).size());
  return {};
}

void sending::mend(const recovery& from) {
  auto shaken = from.damaged_nodes("o/");
  if (from.lost_keys()) {
    for (const auto* r : ledger_.shown().list(std::nullopt, std::nullopt))
      shaken.insert({r->what.sender, r->what.target});
  }
  shaken.erase(self_);
  for (const auto& to : shaken) send_everything_again(to);
  is_mended_ = true;
}

/// It is not known what is missing in the queue: perhaps a notification that looks as if it had been acknowledged,
/// perhaps a receipt. What arrives twice is known there by its id.
void sending::send_everything_again(const node_id& to) {
  auto all = ledger_.shown().list(std::nullopt, std::nullopt);
  for (auto at = all.rbegin(); at != all.rend(); ++at) {
    const auto& r = **at;
    if (r.what.sender == to) send(to, r.last());
    const bool is_missing = r.what.sender == self_ && r.what.target == to && r.state() == receipt_state::queued &&
                            waiting_.count(r.what.id) == 0 && !ledger_.is_ending(r.what.id);
    if (is_missing) send_again(r.what);
  }
}

void sending::send_again(const notification& n) {
  send(n, encode(n.to_value()).size());
  outbox_.doubt(n.target);
}

}  // namespace flock::internal
