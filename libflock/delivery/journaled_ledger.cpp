#include "libflock/delivery/journaled_ledger.hpp"

#include "libflock/delivery/courier_keys.hpp"

#include <algorithm>
#include <cassert>
#include <utility>
#include <vector>

namespace flock::internal {

using namespace courier_keys;

result<void> journaled_ledger::restore(recovery& from) {
  std::vector<notification_record> records;
  auto done = from.read("n/", [&](const std::string&, const value& data) -> result<void> {
    auto r = notification_record::from_stored(data);
    if (!r) return r.error();
    records.push_back(*std::move(r));
    return {};
  });
  std::stable_sort(records.begin(), records.end(),
                   [](const auto& a, const auto& b) { return a.receipts.front().at < b.receipts.front().at; });
  for (auto& r : records) ledger_.restore(std::move(r));
  return done;
}

const notification_record& journaled_ledger::known(std::string_view id) const {
  const auto* record = ledger_.find(id);
  assert(record && "what is dealt with here is in the ledger");
  return *record;
}

const notification_record& journaled_ledger::add(notification n, receipt first) {
  const auto id = n.id;
  ledger_.add(std::move(n), std::move(first));
  const auto& record = known(id);
  announce(record);
  return record;
}

void journaled_ledger::report(const receipt& r) {
  if (ledger_.record(r)) announce(known(r.id));
}

void journaled_ledger::announce(const notification_record& r) {
  listener_.moves(r.what, r.last());
  changed_.insert(r.what.id);
  scribe_.soon();
  if (!is_terminal(r.state())) return listener_.progressed(r);
  scribe_.then([this, id = r.what.id] {
    if (const auto* kept = ledger_.find(id)) listener_.progressed(*kept);
  });
}

void journaled_ledger::conclude(const receipt& end) {
  ends_.emplace(end.id, end);
  changed_.insert(end.id);
  listener_.moves(known(end.id).what, end);
  scribe_.then([this, id = end.id] {
    if (auto kept = ends_.extract(id); kept && ledger_.record(kept.mapped())) listener_.progressed(known(id));
  });
  scribe_.soon();
}

void journaled_ledger::trim(wall_time now) {
  for (auto& id : ledger_.trim(now)) changed_.insert(std::move(id));
}

void journaled_ledger::before_write() {
  for (const auto& id : std::exchange(changed_, {})) {
    const auto end = ends_.find(id);
    if (const auto* record = ledger_.find(id))
      scribe_.put(record_key(id), record->stored(end == ends_.end() ? nullptr : &end->second));
    else
      scribe_.remove(record_key(id));
  }
}

broken journaled_ledger::check() const {
  if (auto why = ledger_.check()) return why;
  if (!changed_.empty() && !scribe_.will_write())
    return sentence(*changed_.begin(), " has changed, and nobody writes that");
  for (const auto& [id, end] : ends_) {
    const auto* record = ledger_.find(id);
    if (!record || is_terminal(record->state()) || !is_terminal(end.state))
      return sentence(id, " is to be ", to_string(end.state), ", and is ",
                      record ? to_string(record->state()) : "not in the ledger");
  }
  return {};
}

}  // namespace flock::internal
