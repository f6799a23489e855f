#include "node/notification_answers.hpp"

#include <memory>
#include <utility>

namespace flock {
namespace {

/// As receipts tell of errors.
value told(const error& why) { return value::map{{"code", std::string(to_string(why.code))}, {"message", why.what}}; }

/// A target whose notification is here. As long as the disk may not have it, that is told: its receiver may have taken
/// it already, and a crash would still make its sender forget it. An end is only shown when it is durable.
value target_as_it_is(const notification_record& r, const notifier::sent& s) {
  auto shown = r.to_value();
  if (!s.taken && !is_terminal(r.state())) shown.as_map()->insert_or_assign("error", told(s.taken.error()));
  return shown;
}

bool is_enough(receipt_state reached, notification_answers::wait_for wanted) {
  using wait_for = notification_answers::wait_for;
  switch (wanted) {
    case wait_for::queued:
      return true;
    case wait_for::accepted:
      return reached >= receipt_state::accepted;
    case wait_for::completed:
      return is_terminal(reached);
  }
  return true;
}

}  // namespace

value target_without_notification(const wanted_action& what, std::string_view node, const error& why) {
  const auto state = why.code == error_code::maybe_done ? receipt_state::unknown : receipt_state::failed;
  return value::map{{"id", value()},
                    {"node", std::string(node)},
                    {"resource", what.resource.str()},
                    {"action", what.action},
                    {"state", std::string(to_string(state))},
                    {"error", told(why)}};
}

// What is there.

value notification_answers::list(std::optional<receipt_state> state, const std::optional<node_id>& of) const {
  value::list out;
  for (const auto* r : core_.deliveries().records().list(state, of)) out.push_back(r->to_value());
  return value(std::move(out));
}

result<value> notification_answers::show(const std::string& id) const {
  const auto record = known(id);
  if (!record) return record.error();
  return (*record)->to_value();
}

result<const notification_record*> notification_answers::known(const std::string& id) const {
  if (const auto* record = core_.deliveries().records().find(id)) return record;
  return error{error_code::not_found, "no notification " + id};
}

/// A notification that was made here.
result<const notification_record*> notification_answers::ours(const std::string& id) const {
  auto record = known(id);
  if (record && (*record)->what.sender != core_.id())
    return error{error_code::conflict,
                 id + " was sent by " + (*record)->what.sender.str() + "; only that node can do this"};
  return record;
}

// What is waited for.

void notification_answers::notify(const wanted_action& what, wait_for state, time_point until, answer done) {
  core_.notify(what, until, [this, what, state, until, done](result<std::vector<notifier::sent>> sent) {
    if (!sent) return done(sent.error());
    auto targets = [this, what, state, sent = *std::move(sent)](bool at_deadline) {
      return targets_as_they_are(what, sent, state, at_deadline);
    };
    answer_when(std::move(targets), until, done);
  });
}

std::optional<value> notification_answers::targets_as_they_are(const wanted_action& what,
                                                               const std::vector<notifier::sent>& targets,
                                                               wait_for state, bool at_deadline) const {
  value::list out;
  for (const auto& target : targets) {
    const bool may_be_here = target.taken || target.taken.error().code == error_code::maybe_done;
    const auto* record = may_be_here ? core_.deliveries().records().find(target.id) : nullptr;
    if (record && !is_enough(record->state(), state) && !at_deadline) return std::nullopt;
    if (record)
      out.push_back(target_as_it_is(*record, target));
    else
      out.push_back(target.taken ? value()
                                 : target_without_notification(what, target.target.str(), target.taken.error()));
  }
  return value(std::move(out));
}

void notification_answers::await(const std::vector<std::string>& ids, time_point until, answer done) {
  for (const auto& id : ids)
    if (const auto record = known(id); !record) return done(record.error());
  auto ended = [this, ids](bool at_deadline) -> std::optional<value> {
    value::list out;
    for (const auto& id : ids) {
      const auto record = known(id);  // one that ended long ago may be forgotten meanwhile
      if (record && is_terminal((*record)->state())) out.push_back((*record)->to_value());
    }
    if (out.empty() && !at_deadline) return std::nullopt;
    return value(std::move(out));
  };
  answer_when(std::move(ended), until, std::move(done));
}

void notification_answers::answer_when(look told, time_point until, answer done) {
  struct waiting {
    look told;
    answer done;
    std::shared_ptr<void> watching;
  };
  auto w = std::make_shared<waiting>(waiting{std::move(told), std::move(done), {}});
  auto check = [w](bool at_deadline) {
    if (!w->done) return;
    auto now = w->told(at_deadline);
    if (!now) return;
    std::exchange(w->done, {})(*std::move(now));
    w->watching.reset();
  };
  check(until <= core_.now());
  if (!w->done) return;
  w->watching = core_.on_progress([check](const notification_record&) { check(false); });
  core_.home().post_at(until, [check] { check(true); });
}

// What is done to one.

notification_answers::answer notification_answers::in_time(time_point until, error otherwise, answer done) {
  auto waiting = std::make_shared<answer>(std::move(done));
  answer once = [waiting](result<value> r) {
    if (auto first = std::exchange(*waiting, {})) first(std::move(r));
  };
  core_.home().post_at(until, [once, otherwise = std::move(otherwise)] { once(otherwise); });
  return once;
}

void notification_answers::cancel(const std::string& id, time_point until, const answer& done) {
  const auto record = ours(id);
  if (!record) return done(record.error());
  const auto state = (*record)->state();
  if (state == receipt_state::cancelled) return done((*record)->to_value());
  if (is_terminal(state))
    return done(error{error_code::conflict, id + " cannot be cancelled: it has " + std::string(to_string(state))});
  auto told =
      in_time(until, {error_code::maybe_done, "the disk has not confirmed yet that " + id + " is cancelled"}, done);
  core_.cancel(id, [this, id, told](result<void> cancelled) {
    if (cancelled) return told(core_.deliveries().records().find(id)->to_value());
    const auto& why = cancelled.error();
    // Not a matter of permission: it is too late.
    told(error{why.code == error_code::refused ? error_code::conflict : why.code, "cannot be cancelled: " + why.what});
  });
}

result<void> notification_answers::may_be_retried(const notification_record& r) const {
  const auto& id = r.what.id;
  if (!is_terminal(r.state()))
    return error{error_code::conflict, id + " is " + std::string(to_string(r.state())) + "; it has not ended"};
  if (r.state() == receipt_state::succeeded)
    return error{error_code::conflict, id + " has succeeded; notify asks for the action once more"};
  for (const auto* other : core_.deliveries().records().list({}, r.what.target))
    if (other->what.retry_of == id && !is_terminal(other->state()))
      return error{error_code::conflict, id + " is being tried again as " + other->what.id};
  return {};
}

void notification_answers::retry(const std::string& id, time_point until, const answer& done) {
  const auto record = ours(id);
  if (!record) return done(record.error());
  if (auto may = may_be_retried(**record); !may) return done(may.error());
  auto again = core_.again((*record)->what);
  auto told =
      in_time(until, {error_code::maybe_done, "the disk has not confirmed yet that " + again.id + " is kept"}, done);
  core_.submit(again, [this, again, told](result<void> taken) {
    if (!taken) return told(taken.error());
    told(core_.deliveries().records().find(again.id)->to_value());
  });
}

}  // namespace flock
