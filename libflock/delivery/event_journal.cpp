#include "libflock/delivery/event_journal.hpp"

#include "libflock/values/packed_reader.hpp"
#include "libflock/values/value_writer.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <optional>
#include <span>
#include <utility>

namespace flock {

namespace {

constexpr std::string_view prefix = "e/";

// Enough to tell storages apart, and short enough to be shown in every event.
constexpr std::size_t name_size = 16;

// Of one record, in bytes, as a rule: what is outdated is removed by the record, and read back into memory by it.
constexpr std::size_t record_size = 128 * 1024;

std::string key_of(std::uint64_t first) {
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(first));
  return std::string(prefix) + digits;
}

/// Nothing if it is no key of ours.
std::optional<std::uint64_t> number_in(std::string_view key) {
  if (!key.starts_with(prefix)) return std::nullopt;
  key.remove_prefix(prefix.size());
  std::uint64_t number = 0;
  const auto [end, failed] = std::from_chars(key.data(), key.data() + key.size(), number, 16);
  if (failed != std::errc() || end != key.data() + key.size()) return std::nullopt;
  return number;
}

using events = std::span<const packed_event>;

std::string encoded(events some) {
  std::string out;
  internal::value_writer(out).list(some.size());
  for (const auto& e : some) out += e.form;
  return out;
}

/// How many of them make up a record: one at least.
std::size_t fit_a_record(events some) {
  std::size_t bytes = 0, count = 0;
  while (count < some.size() && (count == 0 || bytes + some[count].form.size() <= record_size))
    bytes += some[count++].form.size();
  return count;
}

/// Nothing if it cannot be read.
std::optional<value::list> events_in(std::string_view data) {
  auto stored = internal::unpack(data);
  if (!stored || !stored->as_list()) return std::nullopt;
  for (const auto& e : *stored->as_list())
    if (!e["at"].as_int() || !e["type"].as_text() || !e["members"].as_map()) return std::nullopt;
  return std::move(*stored->as_list());
}

}  // namespace

event_journal::event_journal(storage& disk, scribe& records, options o)
    : disk_(disk), scribe_(records), options_(o), log_("", o.keep) {
  scribe_.join(*this);
}

result<void> event_journal::restore() {
  std::vector<std::pair<std::uint64_t, value::list>> all;
  std::uint64_t lost = 0;  // the number of the last record that is
  auto read = disk_.read(prefix, [&](std::string_view key, std::string_view data) {
    const auto first = number_in(key);
    auto events = events_in(data);
    if (first && events) return void(all.emplace_back(*first, *std::move(events)));
    lost = std::max(lost, first.value_or(0));
    repairs_.push_back("the events under " + std::string(key) + " cannot be read, and are gone");
    scribe_.remove(std::string(key));
    scribe_.soon();
  });
  if (!read) return read;
  for (const auto& key : disk_.damaged()) lost = std::max(lost, number_in(key).value_or(0));

  log_ = event_log(disk_.id().substr(0, name_size), options_.keep);
  for (auto& [first, events] : all) {
    record r{first, events.size(), {}};
    for (auto& e : events) {
      r.newest = wall_time(milliseconds(*e["at"].as_int()));
      log_.restore(first++, *e["type"].as_text(), r.newest, *e["members"].as_map());
    }
    records_.push_back(r);
  }
  // Never again a number that may have been shown, though its record was lost.
  if (lost >= log_.next()) log_.continue_at(lost + options_.gathered);
  return {};
}

void event_journal::add(std::string_view type, wall_time at, const value::map& members) {
  latest_ = at;
  if (gathered_.size() >= options_.gathered) {
    ++dropped_;
    return;
  }
  gathered_.push_back(log_.make(type, at, members));
  scribe_.soon();
}

void event_journal::before_write() {
  if (gathered_.empty()) return;
  const auto events = std::make_shared<std::vector<packed_event>>(std::exchange(gathered_, {}));
  for (std::span left(std::as_const(*events)); !left.empty();) {
    const auto some = left.first(fit_a_record(left));
    records_.push_back({some.front().number, some.size(), latest_});
    scribe_.put(key_of(some.front().number), encoded(some));
    left = left.subspan(some.size());
  }
  // Each costs a page or two of the journal wherever it lies; neighbours share theirs.
  if (records_.size() > options_.outdated && is_outdated(records_[options_.outdated], latest_))
    for (; is_outdated(records_.front(), latest_); records_.pop_front()) scribe_.remove(key_of(records_.front().first));
  scribe_.then([this, events] { written(*events); });
  if (const auto missed = std::exchange(dropped_, 0); missed > 0) add("events_dropped", latest_, {{"count", missed}});
}

bool event_journal::is_outdated(const record& r, wall_time now) const {
  const auto& bounds = options_.keep;
  return r.first + r.events + bounds.keep <= log_.next() || r.newest < now - bounds.age;
}

void event_journal::written(std::vector<packed_event>& events) {
  for (auto& e : events) log_.show(std::move(e));
}

}  // namespace flock
