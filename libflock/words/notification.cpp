#include "libflock/words/notification.hpp"

#include "libflock/seams/message.hpp"
#include "libflock/values/enum_names.hpp"
#include "libflock/values/packed_reader.hpp"
#include "libflock/values/record.hpp"
#include "libflock/values/value_writer.hpp"

#include <utility>

namespace flock {

namespace {

using internal::at_most;
using internal::by_name;
using internal::defaulted;
using internal::describe_record;
using internal::enum_names;
using internal::find_name;
using internal::left_out_when_new;
using internal::list_of;
using internal::name_of;
using internal::packed_reader;
using internal::record_member;
using internal::required;
using internal::value_writer;

constexpr enum_names<receipt_state, last_receipt_state> receipt_states = {
    "queued", "accepted", "started", "succeeded", "failed", "expired", "cancelled", "unknown"};
constexpr enum_names<timing, last_timing> timings = {"immediately", "delayed", "before"};
constexpr enum_names<on_outcome, last_on_outcome> on_outcomes = {"always", "success", "failure"};
constexpr enum_names<outcome, last_outcome> outcomes = {"updated", "up_to_date", "skipped", "failed"};

/// An error as calls send it; left out where there is none.
struct as_error {
  static bool is_absent(const std::optional<error>& why) { return !why; }
  static void write(value_writer& to, std::string&, const std::optional<error>& why) {
    to.map(2).member("code", to_string(why->code)).member("what", why->what);
  }
  template <class M> static std::optional<M> read(packed_reader& in, std::string_view name) {
    auto body = in.optional<value>(name);
    if (in.failed()) return std::nullopt;
    return body ? M(error_from_body(*body)) : M();
  }
};

constexpr auto cause_form =
    describe_record<cause>(record_member{"node", &cause::node, required()},
                           record_member{"resource", &cause::resource, at_most(notification::max_name)},
                           record_member{"action", &cause::action, at_most(notification::max_name)});

constexpr auto notification_form = describe_record<notification>(
    record_member{"id", &notification::id, at_most(notification::max_id)},
    record_member{"sender", &notification::sender, required()},
    record_member{"target", &notification::target, required()},
    record_member{"actor", &notification::actor, required()},
    record_member{"action", &notification::action, at_most(notification::max_name)},
    record_member{"arguments", &notification::arguments, defaulted()},
    record_member{"causes", &notification::causes,
                  list_of{cause_form, notification::max_causes, "causes: something goes round in circles"}},
    record_member{"created", &notification::created, required()},
    record_member{"expires", &notification::expires, required()},
    record_member{"retry_of", &notification::retry_of, at_most<left_out_when_new>(notification::max_id)});

constexpr auto receipt_form = describe_record<receipt>(
    record_member{"id", &receipt::id, at_most(notification::max_id)},
    record_member{"state", &receipt::state, by_name{receipt_state_from, last_receipt_state}},
    record_member{"at", &receipt::at, required()}, record_member{"error", &receipt::why, as_error()},
    record_member{"outcome", &receipt::outcome, left_out_when_new()},
    record_member{"redelivered", &receipt::redelivered, defaulted()});

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

value to_value(const std::vector<cause>& chain) {
  value::list out;
  for (const auto& c : chain) out.push_back(cause_form.to_value(c));
  return out;
}

result<std::vector<cause>> causes_from_value(const value& v) {
  const auto* links = v.as_list();
  if (!links) return wrong_kind("a list", v);
  std::vector<cause> chain;
  for (const auto& link : *links) {
    auto c = cause_form.read(encode(link));
    if (!c) return c.error();
    chain.push_back(*std::move(c));
  }
  return chain;
}

value notification::to_value() const { return notification_form.to_value(*this); }
void notification::write(std::string& out) const { notification_form.write(out, *this); }
result<notification> notification::from_value(const value& v) { return read(encode(v)); }
result<notification> notification::read(std::string_view packed) { return notification_form.read(packed); }

value receipt::to_value() const { return receipt_form.to_value(*this); }
void receipt::write(std::string& out) const { receipt_form.write(out, *this); }
result<receipt> receipt::from_value(const value& v) { return read(encode(v)); }
result<receipt> receipt::read(std::string_view packed) { return receipt_form.read(packed); }

}  // namespace flock
