#include "libflock/words/notification.hpp"

#include "libflock/seams/message.hpp"
#include "libflock/values/enum_names.hpp"
#include "libflock/values/packed_reader.hpp"
#include "libflock/values/value_writer.hpp"

#include <utility>

namespace flock {

namespace {

using internal::enum_names;
using internal::find_name;
using internal::name_of;
using internal::packed_elements;
using internal::packed_reader;
using internal::value_writer;

constexpr enum_names<receipt_state, last_receipt_state> receipt_states = {
    "queued", "accepted", "started", "succeeded", "failed", "expired", "cancelled", "unknown"};
constexpr enum_names<timing, last_timing> timings = {"immediately", "delayed", "before"};
constexpr enum_names<on_outcome, last_on_outcome> on_outcomes = {"always", "success", "failure"};
constexpr enum_names<outcome, last_outcome> outcomes = {"updated", "up_to_date", "skipped", "failed"};

// As a number, for these are written and read once per message; people are shown format_time().
std::int64_t since_epoch(wall_time t) { return t.time_since_epoch().count(); }

value cause_to_value(const cause& c) {
  return value::map{{"node", c.node.str()}, {"resource", c.resource}, {"action", c.action}};
}

result<cause> read_cause(std::string_view packed) {
  packed_reader in(packed);
  auto node = in.required<node_id>("node");
  auto resource = in.required<std::string>("resource");
  auto action = in.required<std::string>("action");
  if (in.failed()) return *in.failed();
  return cause{*std::move(node), *std::move(resource), *std::move(action)};
}

result<std::vector<cause>> read_causes(std::string_view packed) {
  const auto from = packed_elements(packed);
  if (!from) return from.error();
  if (from->size() > notification::max_causes) {
    return error{error_code::bad_argument, std::to_string(from->size()) + " causes: something goes round in circles"};
  }
  std::vector<cause> causes;
  for (const auto one : *from) {
    auto c = read_cause(one);
    if (!c) return c.error();
    causes.push_back(*std::move(c));
  }
  return causes;
}

}  // namespace

std::string_view to_string(receipt_state s) { return name_of(s, receipt_states); }
std::optional<receipt_state> receipt_state_from(std::string_view name) {
  return find_name<receipt_state>(name, receipt_states);
}
bool is_terminal(receipt_state s) { return s >= receipt_state::succeeded; }

std::string_view to_string(timing t) { return name_of(t, timings); }
std::optional<timing> timing_from(std::string_view name) {
  return name == "immediate" ? timing::immediately : find_name<timing>(name, timings);
}

std::string_view to_string(on_outcome o) { return name_of(o, on_outcomes); }
std::optional<on_outcome> on_outcome_from(std::string_view name) { return find_name<on_outcome>(name, on_outcomes); }

std::string_view to_string(outcome o) { return name_of(o, outcomes); }
std::optional<outcome> outcome_from(std::string_view name) { return find_name<outcome>(name, outcomes); }

std::string to_string(const notification& n) { return n.target.str() + "/" + n.actor.str() + " " + n.action; }

value notification::to_value() const {
  value::list chain;
  for (const cause& c : causes) chain.push_back(cause_to_value(c));
  auto out = value::map{{"id", id},
                        {"sender", sender.str()},
                        {"target", target.str()},
                        {"actor", actor.str()},
                        {"action", action},
                        {"arguments", arguments},
                        {"causes", std::move(chain)},
                        {"created", since_epoch(created)},
                        {"expires", since_epoch(expires)}};
  if (!retry_of.empty()) out.emplace("retry_of", retry_of);
  return out;
}

void notification::write(std::string& out) const {
  value_writer to(out);
  to.map(retry_of.empty() ? 9 : 10).member("action", action).member("actor", actor.str());
  to.member("arguments", arguments).key("causes").list(causes.size());
  for (const auto& c : causes)
    to.map(3).member("action", c.action).member("node", c.node.str()).member("resource", c.resource);
  to.member("created", since_epoch(created)).member("expires", since_epoch(expires)).member("id", id);
  if (!retry_of.empty()) to.member("retry_of", retry_of);
  to.member("sender", sender.str()).member("target", target.str());
}

result<notification> notification::from_value(const value& v) { return read(encode(v)); }

result<notification> notification::read(std::string_view packed) {
  packed_reader in(packed);
  auto id = in.required<std::string>("id");
  auto sender = in.required<node_id>("sender");
  auto target = in.required<node_id>("target");
  auto actor = in.required<actor_name>("actor");
  auto action = in.required<std::string>("action");
  auto arguments = in.optional<value::list>("arguments");
  auto created = in.required<milliseconds>("created");
  auto expires = in.required<milliseconds>("expires");
  auto retry_of = in.optional<std::string>("retry_of");
  const auto chain = in.find("causes");
  auto causes = chain ? read_causes(*chain) : std::vector<cause>();
  if (!causes) in.fail(causes.error(), "causes");
  if (in.failed()) return *in.failed();
  return notification{*std::move(id),      *std::move(sender),
                      *std::move(target),  *std::move(actor),
                      *std::move(action),  std::move(arguments).value_or(value::list{}),
                      *std::move(causes),  wall_time(*created),
                      wall_time(*expires), std::move(retry_of).value_or("")};
}

value receipt::to_value() const {
  auto out = value::map{{"id", id}, {"state", to_string(state)}, {"at", since_epoch(at)}, {"redelivered", redelivered}};
  if (why) out.emplace("error", to_body(*why));
  if (!outcome.is_null()) out.emplace("outcome", outcome);
  return out;
}

void receipt::write(std::string& out) const {
  value_writer to(out);
  to.map(4 + (why ? 1 : 0) + (outcome.is_null() ? 0 : 1)).member("at", since_epoch(at));
  if (why) to.key("error").map(2).member("code", to_string(why->code)).member("what", why->what);
  to.member("id", id);
  if (!outcome.is_null()) to.member("outcome", outcome);
  to.member("redelivered", redelivered).member("state", to_string(state));
}

result<receipt> receipt::from_value(const value& v) { return read(encode(v)); }

result<receipt> receipt::read(std::string_view packed) {
  packed_reader in(packed);
  auto id = in.required<std::string>("id");
  auto state = in.named("state", receipt_state_from, last_receipt_state);
  auto at = in.required<milliseconds>("at");
  auto why = in.optional<value>("error");
  auto outcome = in.optional<value>("outcome");
  auto redelivered = in.optional<bool>("redelivered");
  if (!state) in.fail({error_code::bad_argument, "missing"}, "state");
  if (in.failed()) return *in.failed();
  return receipt{*std::move(id),
                 *state,
                 wall_time(*at),
                 why ? std::optional(error_from_body(*why)) : std::nullopt,
                 std::move(outcome).value_or(value()),
                 redelivered.value_or(false)};
}

}  // namespace flock
