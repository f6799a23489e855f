#include "libflock/delivery/ledger.hpp"

#include "libflock/values/packed_reader.hpp"
#include "libflock/values/value_writer.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace flock {

using internal::sentence;
using internal::whole_at_end;

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
  if (const auto why = out.check()) return error{error_code::bad_argument, *why};
  return out;
}

broken notification_record::check() const {
  if (receipts.empty()) return sentence(what.id, " is nowhere");
  bool was_started = false;
  for (std::size_t i = 0; i < receipts.size(); ++i) {
    const auto& r = receipts[i];
    if (r.id != what.id) return sentence(what.id, " has a receipt of ", r.id);
    if (i > 0 && r.state <= receipts[i - 1].state)
      return sentence(what.id, " is ", to_string(r.state), " after it was ", to_string(receipts[i - 1].state));
    if (i > 0 && is_terminal(receipts[i - 1].state))
      return sentence(what.id, " is ", to_string(r.state), " though it has ended");
    was_started = was_started || r.state == receipt_state::started;
  }
  if (was_started != (attempts > 0))
    return sentence(what.id, " has ", attempts, " attempts, and its receipts say otherwise");
  return {};
}

ledger::ledger(options o) : options_(o) {}

bool ledger::add(notification n, receipt first) {
  return restore(notification_record{std::move(n), {std::move(first)}, 0});
}

bool ledger::restore(notification_record r) {
  auto id = r.what.id;
  const whole_at_end look([this, id] { return check(id); });
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
  const whole_at_end look([&] { return check(r.id); });
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
    found.push_back(&at_place(at->second));
  }
  return found;
}

std::vector<std::string> ledger::trim(wall_time now) {
  const whole_at_end look([this] { return check_sizes(); });
  std::vector<std::string> forgotten;
  while (!settled_.empty() && (settled_.size() > options_.keep || settled_.begin()->first + options_.age <= now)) {
    const auto oldest = settled_.begin()->second;
    forgotten.push_back(at_place(oldest).what.id);
    settled_.erase(settled_.begin());
    order_.erase(oldest);
    records_.erase(forgotten.back());
  }
  return forgotten;
}

const notification_record& ledger::at_place(std::uint64_t place) const {
  const auto at = order_.find(place);
  assert(at != order_.end() && "what stands with the deadlines or the settled stands in the order");
  return *at->second;
}

broken ledger::check() const {
  for (const auto& [id, e] : records_)
    if (auto why = check(id, e)) return why;
  return check_sizes();
}

broken ledger::check(std::string_view id) const {
  const auto at = records_.find(id);
  if (at == records_.end()) return check_sizes();
  auto why = check(at->first, at->second);
  return why ? why : check_sizes();
}

broken ledger::check_sizes() const {
  if (order_.size() == records_.size() && deadlines_.size() + settled_.size() == records_.size()) return {};
  return sentence(records_.size(), " notifications are known, ", order_.size(), " have a place, ", deadlines_.size(),
                  " stand with the deadlines and ", settled_.size(), " with the settled");
}

broken ledger::check(std::string_view id, const entry& e) const {
  const auto& r = e.record;
  if (r.what.id != id) return sentence(r.what.id, " is known as ", id);
  const auto place = order_.find(e.place);
  if (place == order_.end() || place->second != &r) return sentence("nothing leads to ", id, " at its place ", e.place);
  if (auto why = r.check()) return why;
  // That it does not stand in the other, too, is told by their sizes.
  const bool has_ended = is_terminal(r.state());
  const bool stands =
      has_ended ? settled_.contains({r.last().at, e.place}) : deadlines_.contains({r.what.expires, e.place});
  if (!stands)
    return sentence(id, " is ", to_string(r.state()), ", and not among the ", has_ended ? "settled" : "open");
  return {};
}

}  // namespace flock
