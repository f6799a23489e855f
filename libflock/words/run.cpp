#include "libflock/words/run.hpp"

#include "libflock/values/member_reader.hpp"
#include "libflock/words/debts.hpp"

#include <algorithm>
#include <utility>

namespace flock {

using internal::sentence;

namespace {

/// What is left of the members when those of the action itself are taken out: a location's.
value location_members(const value& v) {
  auto rest = *v.as_map();
  for (const char* own : {"action", "resource", "timing", "on"}) rest.erase(own);
  return rest;
}

bool same_target(const wanted_action& a, const wanted_action& b) {
  return a.resource == b.resource && a.action == b.action && a.where == b.where;
}

/// Kept apart by `on` until the outcome is known: one for success must not hide one for failure.
bool same_wish(const wanted_action& a, const wanted_action& b) { return a.on == b.on && same_target(a, b); }

bool is_sent_after(const wanted_action& w, bool success) {
  return w.on == on_outcome::always || (w.on == on_outcome::success) == success;
}

}  // namespace

result<wanted_action> wanted_action::from_value(const value& v) {
  internal::member_reader in(v);
  auto action = in.required<std::string>("action");
  auto resource = in.required<resource_name>("resource");
  auto when = in.named("timing", timing_from, last_timing);
  auto on = in.named("on", on_outcome_from, last_on_outcome);
  if (action && action->empty()) in.fail({error_code::bad_argument, "an empty name"}, "action");
  if (in.failed()) return *in.failed();
  auto where = location::from_value(location_members(v));
  if (!where) return where.error();
  return wanted_action{*std::move(resource),
                       *std::move(action),
                       *std::move(where),
                       when.value_or(timing::immediately),
                       on.value_or(on_outcome::always),
                       {}};
}

value wanted_action::to_value() const {
  auto out = where.to_value();
  auto& members = *out.as_map();
  members.emplace("action", action);
  members.emplace("resource", resource.str());
  members.emplace("timing", to_string(when));
  members.emplace("on", to_string(on));
  return out;
}

const std::vector<cause>& wanted_action::causes_for(const node_id& target) const {
  const cause itself{target, resource.str(), action};
  const auto goes_round = [&](const std::vector<cause>& chain) {
    return std::find(chain.begin(), chain.end(), itself) != chain.end();
  };
  if (!goes_round(causes)) return causes;
  const auto other = std::find_if_not(other_causes.begin(), other_causes.end(), goes_round);
  return other == other_causes.end() ? causes : *other;
}

run::run(std::string id, wall_time started, bool why_run, debts& owed)
    : id_(std::move(id)), started_(started), why_run_(why_run), debts_(&owed) {}

std::vector<wanted_action> run::updated(std::vector<wanted_action> wants) {
  std::vector<wanted_action> now;
  if (why_run_) return now;
  for (auto& w : wants) {
    if (w.when != timing::delayed) {
      w.debt = debts_->owe(id_, w, true);
      now.push_back(std::move(w));
      continue;
    }
    auto is_same = [&](const wanted_action& d) { return same_wish(d, w); };
    if (std::any_of(delayed_.begin(), delayed_.end(), is_same)) continue;
    w.debt = debts_->owe(id_, w, false);
    delayed_.push_back(std::move(w));
  }
  return now;
}

std::vector<wanted_action> run::finish(bool success) {
  std::vector<wanted_action> out;
  for (auto& w : std::exchange(delayed_, {})) {
    auto is_same = [&](const wanted_action& o) { return same_target(o, w); };
    if (!is_sent_after(w, success) || std::any_of(out.begin(), out.end(), is_same)) {
      debts_->settle(w.debt);
      continue;
    }
    if (w.on != on_outcome::always) debts_->due(w.debt, id_, w);
    out.push_back(std::move(w));
  }
  return out;
}

std::vector<wanted_action> run::leave() { return std::exchange(delayed_, {}); }

broken run::check() const {
  if (why_run_ && !delayed_.empty()) return sentence("run ", id_, " only says what would be done, and keeps something");
  for (auto w = delayed_.begin(); w != delayed_.end(); ++w) {
    if (w->when != timing::delayed)
      return sentence("run ", id_, " keeps ", w->resource, " ", w->action, ", which is ", to_string(w->when));
    if (std::any_of(delayed_.begin(), w, [&](const wanted_action& o) { return same_wish(o, *w); }))
      return sentence("run ", id_, " keeps ", w->resource, " ", w->action, " twice");
  }
  return {};
}

}  // namespace flock
