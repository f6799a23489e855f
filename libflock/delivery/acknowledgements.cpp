#include "libflock/delivery/acknowledgements.hpp"

#include <utility>

namespace flock::internal {

void acknowledgements::owe(const node_id& to, const std::string& channel, std::size_t parcels) {
  auto& o = owed_[to];
  o.channel = channel;
  o.parcels += parcels;
  if (o.parcels >= unacknowledged_) owe_again(to, channel);
}

void acknowledgements::owe_again(const node_id& to, const std::string& channel) {
  owed_[to].channel = channel;
  overdue_.insert(to);
  scribe_.end_turn_soon();
}

void acknowledgements::all_overdue() {
  for (const auto& [to, o] : owed_) overdue_.insert(to);
  if (!overdue_.empty()) scribe_.end_turn_soon();
}

std::optional<message> acknowledgements::next(const node_id& to) const {
  const auto o = owed_.find(to);
  return o == owed_.end() ? std::optional<message>() : acknowledgement_of(to, o->second);
}

void acknowledgements::turn_ends() {
  for (const auto& to : std::exchange(overdue_, {})) {
    // One that does not get there is made up for: the parcels come once more, and are acknowledged again.
    if (const auto o = owed_.extract(to)) (void)network_.send(to, acknowledgement_of(to, o.mapped()));
  }
}

message acknowledgements::acknowledgement_of(const node_id& to, const owed& o) const {
  return {message_kind::acknowledge, 0, {}, {}, {}, inbox_.safe_upto(to, o.channel).to_body()};
}

broken acknowledgements::check_turn() const {
  if (overdue_.empty() || scribe_.will_end_turn()) return {};
  return sentence("an acknowledgement is due for ", *overdue_.begin(), ", and the turn does not end");
}

}  // namespace flock::internal
