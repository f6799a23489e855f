#include "libflock/delivery/courier.hpp"
#include "libflock/delivery/courier_keys.hpp"
#include "libflock/values/packed_reader.hpp"
#include <flock/value_cast.hpp>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <utility>

// What a courier stores under which keys, and how it comes back.

namespace flock {

using namespace internal::courier_keys;

namespace internal::courier_keys {

namespace {

std::string hex(std::uint64_t number) {
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(number));
  return digits;
}

}  // namespace

std::string aside_key(std::string_view key) { return "x/" + std::string(key); }
std::string standing_key(const node_id& to) { return "c/" + to.str(); }
std::string position_key(const node_id& from, const std::string& channel) { return "i/" + from.str() + "/" + channel; }
std::string record_key(const std::string& id) { return "n/" + id; }
std::string parcel_key(const node_id& to, std::uint64_t number) { return "o/" + to.str() + "/" + hex(number); }
std::string work_key(const node_id& from, const std::string& channel, std::uint64_t number) {
  return "w/" + from.str() + "/" + channel + "/" + hex(number);
}

result<node_id> node_in(const std::string& rest) { return node_id::parse(rest.substr(0, rest.find('/'))); }

}  // namespace internal::courier_keys

namespace {

// Of the rest of a key: a number behind the last slash.

result<std::uint64_t> number_in(const std::string& rest) {
  const auto digits = rest.substr(rest.rfind('/') + 1);
  std::uint64_t number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number, 16);
  // Written otherwise it would not stand in its order, or stand twice.
  if (number == 0 || hex(number) != digits) return error{error_code::io, digits + " is no number"};
  return number;
}

}  // namespace

std::optional<std::string> courier::stored_form(const std::string& id) const {
  const auto* record = ledger_.find(id);
  if (!record) return std::nullopt;
  const auto end = ends_.find(id);
  return record->stored(end == ends_.end() ? nullptr : &end->second);
}

void courier::before_write() {
  // Also what this turn has not come to send yet: a parcel's number is reserved in the write that has the parcel.
  touched_.insert(due_.begin(), due_.end());
  std::vector<channel_write> channels;
  for (const auto& to : std::exchange(touched_, {})) {
    auto standing = outbox_.to_store(to);
    if (!standing && outbox_.is_stored(to)) continue;
    if (standing) scribe_.put(standing_key(to), encode(standing->to_value()));
    channels.push_back({to, outbox_.last(to), std::move(standing)});
  }
  for (const auto& id : std::exchange(changed_, {})) {
    if (auto data = stored_form(id))
      scribe_.put(record_key(id), *std::move(data));
    else
      scribe_.remove(record_key(id));
  }
  if (!channels.empty()) scribe_.then([this, channels = std::move(channels)] { written(channels); });
}

void courier::written(const std::vector<channel_write>& channels) {
  for (const auto& c : channels) {
    outbox_.stored(c.to, c.upto);
    if (c.standing) outbox_.stored(c.to, *c.standing);
    due_.insert(c.to);
  }
  scribe_.end_turn_soon();
}

result<void> courier::read(const std::string& prefix, const reader& each) {
  return disk_.read(prefix, [&](std::string_view key, std::string_view data) {
    const auto v = internal::unpack(data);
    const auto read = v ? each(std::string(key.substr(prefix.size())), *v) : result<void>(v.error());
    if (!read) set_aside(key, data, read.error());
  });
}

result<void> courier::restore() {
  started_ = time_.wall();
  damaged_ = disk_.damaged();
  if (auto done = restore_records(); !done) return done;
  if (auto done = read("c/", [this](auto& rest, auto& data) { return restore_standing(rest, data); }); !done)
    return done;
  restore_lost_standings();
  if (auto done = read("o/", [this](auto& rest, auto& data) { return restore_parcel(rest, data); }); !done) return done;
  if (auto done = read("i/", [this](auto& rest, auto& data) { return restore_position(rest, data); }); !done)
    return done;
  if (auto done = read("w/", [this](auto& rest, auto& data) { return restore_work(rest, data); }); !done) return done;
  adopt_orphans();
  // In the first write of this life: after it, storage does not tell of damage any more.
  repair_channels();
  is_restored_ = true;
  scribe_.soon();
  return {};
}

result<void> courier::restore_records() {
  std::vector<notification_record> records;
  auto done = read("n/", [&](const std::string&, const value& data) -> result<void> {
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

result<void> courier::restore_standing(const std::string& rest, const value& data) {
  auto to = node_in(rest);
  if (!to) return to.error();
  auto standing = outbox::standing::from_value(data);
  if (!standing) return standing.error();
  outbox_.restore(*to, *standing);
  return {};
}

result<void> courier::restore_position(const std::string& rest, const value& data) {
  auto from = node_in(rest);
  if (!from) return from.error();
  auto upto = from_value<std::uint64_t>(data);
  if (!upto) return upto.error();
  inbox_.restore(*from, rest.substr(std::min(rest.size(), from->str().size() + 1)), *upto);
  return {};
}

result<void> courier::restore_parcel(const std::string& rest, const value& data) {
  auto to = node_in(rest);
  if (!to) return to.error();
  auto number = number_in(rest);
  if (!number) return number.error();
  if (const auto* id = data.as_text()) {
    const auto* record = ledger_.find(*id);
    if (!record) {
      scribe_.remove("o/" + rest);
      repairs_.push_back("the notification " + *id + " to " + to->str() + " is lost: its record was damaged");
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

result<void> courier::restore_work(const std::string& rest, const value& data) {
  auto from = node_in(rest);
  if (!from) return from.error();
  auto number = number_in(rest);
  if (!number) return number.error();
  const auto* id = data.as_text();
  if (!id) return error{error_code::io, "not the id of a notification"};
  if (!ledger_.find(*id)) {
    scribe_.remove("w/" + rest);
    lose_work(*from, *id);
    return {};
  }
  taken_here_ = std::max(taken_here_, *number);
  // Also if it is queued: that it was begun may have been recorded too late.
  working_.emplace(*id, work{.key = "w/" + rest, .maybe_begun = true, .number = ++last_number_});
  unfinished_.push_back(*id);
  return {};
}

}  // namespace flock
