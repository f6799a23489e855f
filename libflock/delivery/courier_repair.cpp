#include "libflock/delivery/courier.hpp"
#include "libflock/delivery/courier_keys.hpp"

#include <algorithm>
#include <set>
#include <utility>

// What a courier does about records that its storage found damaged: the table is in courier.hpp.

namespace flock {

using namespace internal::courier_keys;

namespace {

/// The nodes that the damaged keys with this prefix are about.
std::set<node_id> nodes_of(const std::vector<std::string>& damaged, const std::string& prefix) {
  std::set<node_id> nodes;
  for (const auto& key : damaged) {
    if (!key.starts_with(prefix)) continue;
    if (auto node = node_in(key.substr(prefix.size()))) nodes.insert(*std::move(node));
  }
  return nodes;
}

}  // namespace

/// Nobody's record keeps this node from starting.
void courier::set_aside(std::string_view key, std::string_view data, const error& why) {
  const auto aside = aside_key(key);
  scribe_.put(aside, std::string(data));
  scribe_.remove(std::string(key));
  damaged_.emplace_back(key);
  repairs_.push_back("the record " + std::string(key) + " cannot be read (" + why.what + "): it was set aside as " +
                     aside);
}

/// Which numbers were given is not known any more, and one given twice would be taken for a repetition. One a
/// millisecond since 1970 is more than any channel ever had, also if this happens to it again.
void courier::restore_lost_standings() {
  for (const auto& to : nodes_of(damaged_, "c/")) {
    outbox::standing s;
    s.reserved = static_cast<std::uint64_t>(time_.wall().time_since_epoch().count());
    s.sent = std::nullopt;
    outbox_.restore(to, s);
    scribe_.put(standing_key(to), encode(s.to_value()));
    repairs_.push_back("the state of the channel to " + to.str() + " was damaged: its numbers go on from " +
                       std::to_string(s.reserved));
  }
}

void courier::lose_work(const node_id& from, const std::string& id) {
  if (from == self_) {
    repairs_.push_back("the notification " + id + " to this node itself is lost: its record was damaged");
    return;
  }
  lost_work_.emplace_back(from, id);
  repairs_.push_back("the record of notification " + id + " was damaged: " + from.str() + " is asked to send it again");
}

/// Whatever was taken here and has no end has a record of its work, unless that was damaged.
void courier::adopt_orphans() {
  auto all = ledger_.list(std::nullopt, self_);
  for (auto at = all.rbegin(); at != all.rend(); ++at) {
    const auto& r = **at;
    if (is_terminal(r.state()) || working_.count(r.what.id) > 0) continue;
    const auto key = work_key(r.what.sender, "repaired", ++taken_here_);
    scribe_.put(key, encode(value(r.what.id)));
    working_.emplace(r.what.id, work{.key = key, .maybe_begun = true, .number = ++last_number_});
    unfinished_.push_back(r.what.id);
    repairs_.push_back("the work for notification " + r.what.id + " was damaged: it is performed once more");
  }
}

void courier::repair_channels() {
  for (const auto& [from, id] : std::exchange(lost_work_, {}))
    post(from, {id, receipt_state::queued, time_.wall(), {}, {}, false});
  auto shaken = nodes_of(damaged_, "o/");
  // Records were lost with their keys: it may be any channel.
  if (std::find(damaged_.begin(), damaged_.end(), "") != damaged_.end()) {
    for (const auto* r : ledger_.list(std::nullopt, std::nullopt)) shaken.insert({r->what.sender, r->what.target});
  }
  shaken.erase(self_);
  for (const auto& to : shaken) send_everything_again(to);
}

/// It is not known what is missing in the queue: perhaps a notification that looks as if it had been acknowledged,
/// perhaps a receipt. What arrives twice is known there by its id.
void courier::send_everything_again(const node_id& to) {
  auto all = ledger_.list(std::nullopt, std::nullopt);
  for (auto at = all.rbegin(); at != all.rend(); ++at) {
    const auto& r = **at;
    if (r.what.sender == to) post(to, r.last());
    const bool is_missing = r.what.sender == self_ && r.what.target == to && r.state() == receipt_state::queued &&
                            waiting_.count(r.what.id) == 0 && ends_.count(r.what.id) == 0;
    if (is_missing) send_again(r.what);
  }
}

void courier::send_again(const notification& n) {
  queue(n, encode(n.to_value()).size());
  outbox_.doubt(n.target);
}

}  // namespace flock
