#include "libflock/delivery/debt_journal.hpp"

#include "libflock/values/member_reader.hpp"
#include "libflock/values/packed_reader.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>

namespace flock {

namespace {

using internal::member_reader;

constexpr std::string_view prefix = "d/";

std::string key_of(debts::number n) {
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(n));
  return std::string(prefix) + digits;
}

/// 0 if it is no key of ours.
debts::number number_in(std::string_view key) {
  key.remove_prefix(prefix.size());
  debts::number n = 0;
  const auto [end, failed] = std::from_chars(key.data(), key.data() + key.size(), n, 16);
  return failed == std::errc() && end == key.data() + key.size() ? n : 0;
}

value entry_of(const std::string& run, const wanted_action& what, bool now) {
  value::list chains{to_value(what.causes)};
  for (const auto& chain : what.other_causes) chains.push_back(to_value(chain));
  return value::map{{"run", run}, {"now", now}, {"what", what.to_value()}, {"causes", std::move(chains)}};
}

result<wanted_action> wanted_in(const value& entry) {
  auto what = wanted_action::from_value(entry["what"]);
  const auto* chains = entry["causes"].as_list();
  if (!what) return what;
  if (!chains || chains->empty()) return error{error_code::bad_argument, "causes: missing"};
  for (const auto& chain : *chains) {
    auto causes = causes_from_value(chain);
    if (!causes) return causes.error().within("causes");
    if (&chain == &chains->front())
      what->causes = *std::move(causes);
    else
      what->other_causes.push_back(*std::move(causes));
  }
  return what;
}

result<debt_journal::left_over> left_over_in(debts::number n, std::string_view data) {
  const auto entry = internal::unpack(data);
  if (!entry) return entry.error();
  if (n == 0) return error{error_code::bad_argument, "no number"};
  member_reader in(*entry);
  auto run = in.required<std::string>("run");
  const auto now = in.optional<bool>("now");
  const auto& step = (*entry)["step"];
  if (in.failed()) return *in.failed();
  if (!step.is_null()) {
    member_reader of_step(step);
    auto resource = of_step.required<std::string>("resource");
    auto action = of_step.required<std::string>("action");
    if (of_step.failed()) return of_step.failed()->within("step");
    return debt_journal::left_over{n, *std::move(run), false, {}, *std::move(resource), *std::move(action)};
  }
  auto what = wanted_in(*entry);
  if (!what) return what.error();
  what->debt = n;
  return debt_journal::left_over{n, *std::move(run), now.value_or(false), *std::move(what), {}, {}};
}

}  // namespace

result<void> debt_journal::restore() {
  auto read = disk_.read(prefix, [this](std::string_view key, std::string_view data) {
    const auto n = number_in(key);
    last_ = std::max(last_, n);
    auto entry = left_over_in(n, data);
    if (entry) return void(left_over_.push_back(*std::move(entry)));
    repairs_.push_back("what a run owed, under " + std::string(key) + ", cannot be read (" + entry.error().what +
                       "), and is not sent");
    scribe_.remove(std::string(key));
    scribe_.soon();
  });
  written_ = durable_ = last_;
  return read;
}

debts::number debt_journal::owe(const std::string& run, const wanted_action& what, bool now) {
  put(++last_, entry_of(run, what, now));
  return last_;
}

void debt_journal::due(number n, const std::string& run, const wanted_action& what) {
  put(n, entry_of(run, what, true));
}

void debt_journal::intend(const std::string& run, const resource_name& what, const std::string& action,
                          std::function<void(number)> begin) {
  const auto n = ++last_;
  put(n, value::map{{"run", run}, {"step", value::map{{"resource", what.str()}, {"action", action}}}});
  when_durable([n, begin = std::move(begin)](const result<void>&) { begin(n); });
}

void debt_journal::when_durable(std::function<void(result<void>)> f) {
  if (auto why = disk_.trouble()) return f(*std::move(why));
  const auto place = next_waiting_++;
  waiting_.emplace(place, std::move(f));
  scribe_.then([this, place] {
    if (auto durable = waiting_.extract(place)) durable.mapped()({});
  });
  scribe_.hurry();
  scribe_.soon();
}

void debt_journal::before_write() {
  if (written_ == last_) return;
  written_ = last_;
  scribe_.then([this, n = last_] { durable_ = n; });
}

void debt_journal::give_up_waiting(const error& why) {
  for (auto& [place, f] : std::exchange(waiting_, {})) f(why);
}

void debt_journal::tick() {
  if (auto why = disk_.trouble()) not_written(*why);
}

void debt_journal::settle(number n) {
  scribe_.remove(key_of(n));
  scribe_.soon();
}

void debt_journal::put(number n, const value& entry) {
  scribe_.put(key_of(n), encode(entry));
  scribe_.soon();
}

broken debt_journal::check() const {
  if (durable_ > written_ || written_ > last_)
    return internal::sentence("entry ", durable_, " is durable, ", written_, " was written and ", last_,
                              " is the last");
  if (waiting_.empty() || scribe_.is_busy()) return {};
  return internal::sentence(waiting_.size(), " wait for what they entered to be durable, and nothing is written");
}

}  // namespace flock
