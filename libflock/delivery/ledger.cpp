#include "libflock/delivery/ledger.hpp"

#include "libflock/values/packed_reader.hpp"
#include "libflock/values/value_writer.hpp"

#include <algorithm>
#include <utility>

namespace flock {

namespace {

value times_of(const std::vector<receipt>& receipts) {
  value::map times;
  for (const auto& r : receipts) times.emplace(to_string(r.state), format_time(r.at));
  return times;
}

value shown(const std::optional<error>& why) {
  if (!why) return {};
  return value::map{{"code", to_string(why->code)}, {"message", why->what}};
}

}  // namespace

bool notification_record::redelivered() const {
  return std::any_of(receipts.begin(), receipts.end(), [](const receipt& r) { return r.redelivered; });
}

bool notification_record::is_surely_kept() const {
  if (is_terminal(state())) return true;
  return state() != receipt_state::queued && what.target != what.sender;
}

value notification_record::to_value() const {
  const auto& outcome = last().outcome;
  const bool of_resource = outcome["outcome"].as_text() != nullptr;
  return value::map{{"id", what.id},
                    {"node", what.target.str()},
                    {"resource", what.actor.str()},
                    {"action", what.action},
                    {"state", to_string(state())},
                    {"error", shown(last().why)},
                    {"sender", what.sender.str()},
                    {"causes", flock::to_value(what.causes)},
                    {"created", format_time(what.created)},
                    {"expires", format_time(what.expires)},
                    {"attempts", attempts},
                    {"redelivered", redelivered()},
                    {"times", times_of(receipts)},
                    {"outcome", of_resource ? outcome["outcome"] : outcome},
                    {"performed_with", of_resource ? outcome["performed_with"] : value()},
                    {"retry_of", what.retry_of.empty() ? value() : value(what.retry_of)},
                    {"exit_status", of_resource ? outcome["exit_status"] : value()},
                    {"output", of_resource ? outcome["output"] : value()}};
}

value notification_record::to_stored() const { return *internal::unpack(stored()); }

std::string notification_record::stored(const receipt* end) const {
  std::string out;
  out.reserve(1024);
  internal::value_writer to(out);
  to.map(3).member("attempts", attempts).key("receipts").list(receipts.size() + (end ? 1 : 0));
  for (const auto& r : receipts) r.write(out);
  if (end) end->write(out);
  to.key("what");
  what.write(out);
  return out;
}

result<notification_record> notification_record::from_stored(const value& v) { return read(encode(v)); }

result<notification_record> notification_record::read(std::string_view packed) {
  internal::packed_reader in(packed);
  const auto what = in.find("what");
  const auto all = in.find("receipts");
  auto attempts = in.required<int>("attempts");
  if (!what) in.fail({error_code::bad_argument, "missing"}, "what");
  if (!all) in.fail({error_code::bad_argument, "missing"}, "receipts");
  if (in.failed()) return *in.failed();
  auto n = notification::read(*what);
  if (!n) return n.error().within("what");
  const auto elements = internal::packed_elements(*all);
  if (!elements) return elements.error().within("receipts");
  if (elements->empty()) return error{error_code::bad_argument, "receipts: none"};
  notification_record out{*std::move(n), {}, *attempts};
  for (const auto element : *elements) {
    auto r = receipt::read(element);
    if (!r) return r.error().within("receipts");
    out.receipts.push_back(*std::move(r));
  }
  return out;
}

ledger::ledger(options o) : options_(o) {}

bool ledger::add(notification n, receipt first) {
  return restore(notification_record{std::move(n), {std::move(first)}, 0});
}

bool ledger::restore(notification_record r) {
  auto id = r.what.id;
  const auto place = next_place_;
  const auto [at, is_new] = records_.try_emplace(std::move(id), entry{std::move(r), place});
  if (!is_new) return false;
  const auto& record = at->second.record;
  order_.emplace_hint(order_.end(), next_place_++, &record);
  if (is_terminal(record.state()))
    settled_.emplace(record.last().at, place);
  else
    deadlines_.emplace(record.what.expires, place);
  return true;
}

bool ledger::record(const receipt& r) {
  const auto at = records_.find(r.id);
  if (at == records_.end()) return false;
  auto& record = at->second.record;
  if (is_terminal(record.state())) return false;
  const bool started_again = r.redelivered && r.state == receipt_state::started && record.state() == r.state;
  if (r.state <= record.state() && !started_again) return false;
  if (started_again)
    record.receipts.back() = r;
  else
    record.receipts.push_back(r);
  if (r.state == receipt_state::started) ++record.attempts;
  if (is_terminal(r.state)) {
    deadlines_.erase({record.what.expires, at->second.place});
    settled_.emplace(r.at, at->second.place);
  }
  return true;
}

const notification_record* ledger::find(std::string_view id) const {
  const auto at = records_.find(id);
  return at == records_.end() ? nullptr : &at->second.record;
}

std::vector<const notification_record*> ledger::list(std::optional<receipt_state> state,
                                                     const std::optional<node_id>& node) const {
  std::vector<const notification_record*> found;
  for (auto at = order_.rbegin(); at != order_.rend(); ++at) {
    const auto& record = *at->second;
    if ((!state || record.state() == *state) && (!node || record.what.target == *node)) found.push_back(&record);
  }
  return found;
}

std::vector<const notification_record*> ledger::overdue(wall_time now) const {
  std::vector<const notification_record*> found;
  for (auto at = deadlines_.begin(); at != deadlines_.end() && at->first <= now; ++at) {
    found.push_back(order_.find(at->second)->second);
  }
  return found;
}

std::vector<std::string> ledger::trim(wall_time now) {
  std::vector<std::string> forgotten;
  while (!settled_.empty() && (settled_.size() > options_.keep || settled_.begin()->first + options_.age <= now)) {
    const auto oldest = order_.find(settled_.begin()->second);
    settled_.erase(settled_.begin());
    forgotten.push_back(oldest->second->what.id);
    order_.erase(oldest);
    records_.erase(forgotten.back());
  }
  return forgotten;
}

}  // namespace flock
