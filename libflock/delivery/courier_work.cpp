#include "libflock/delivery/courier.hpp"

#include <cassert>
#include <optional>
#include <string>
#include <utility>

// What a courier hands to its host: in which order it starts, and how it ends.

namespace flock {

namespace {

// Of an error's text that is sent: enough for people.
constexpr std::size_t longest_text = 4096;

/// Takes out of a failed action's outcome what it says of why.
error take_error(value& outcome, const notification& n) {
  const auto said = outcome["error"];
  outcome.as_map()->erase("error");
  const auto* code = said["code"].as_text();
  const auto* message = said["message"].as_text();
  return {(code ? error_code_from(*code) : std::nullopt).value_or(error_code::io),
          message ? *message : to_string(n) + " failed"};
}

/// Makes a receipt fit a message: an outcome that is too large is left out, and that is said.
void bound(receipt& r, std::size_t bytes) {
  if (const auto size = encode(r.outcome).size(); size > bytes) {
    const auto text = "an outcome of " + std::to_string(size) + " bytes was left out";
    r.outcome = {};
    r.why = r.why ? error{r.why->code, r.why->what + "; " + text} : error{error_code::refused, text};
  }
  if (r.why && r.why->what.size() > longest_text) r.why->what.resize(longest_text);
}

}  // namespace

void courier::begin(const notification& n, work w) {
  scribe_.put(w.key, encode(value(n.id)));
  working_.insert_or_assign(n.id, std::move(w));
  hand_over(n);
}

void courier::pick_up(const std::string& id) {
  const auto& record = known(id);
  if (record.state() != receipt_state::queued) return hand_over(record.what);
  // To this node itself, and nobody has looked at it yet.
  if (auto admitted = host_.admit(record.what); !admitted) return ended(id, admitted.error());
  report({id, receipt_state::accepted, time_.wall(), {}, {}, false});
  hand_over(record.what);
}

void courier::hand_over(const notification& n) {
  const auto& id = n.id;
  if (n.expires <= time_.wall()) return ended(id, error{error_code::timeout, "it came too late"});
  const auto at = working_.find(id);
  assert(at != working_.end() && "what is handed over is worked on");
  auto& w = at->second;
  w.in_hand = true;
  const auto turn = std::make_shared<start_turn>(order_, start_order::place{{n.sender, n.actor}, w.number, id});
  host_.perform(  // calls both on any thread
      n,
      [this, home = home_, turn] {
        if (!turn->begin()) return false;
        home->post([this, turn] { began(turn->place().id); });
        return true;
      },
      [this, home = home_, turn](result<value> how) {
        turn->end(how);
        home->post([this, turn, how = std::move(how)] {
          if (turn->was_sent_back()) return came_back(turn->place());
          ended(turn->place().id, how);
        });
      });
}

void courier::came_back(const start_order::place& p) {
  const auto at = working_.find(p.id);
  assert(at != working_.end() && "what was sent back has not ended");
  at->second.in_hand = false;
  hand_over(order_->came_back(p));
}

/// Until it is durable that this one does not start, none behind it does.
void courier::let_others_wait(const start_order::place& p) {
  order_->will_not_start(p);
  scribe_.then([this, p] { hand_over(order_->durable(p)); });
}

void courier::hand_over(const std::vector<std::string>& again) {
  for (const auto& id : again) hand_over(known(id).what);
}

void courier::began(const std::string& id) {
  const auto at = working_.find(id);
  if (at == working_.end()) return;
  auto& w = at->second;
  // Begun once more, by somebody else: how far the first one came is not known.
  w.maybe_begun = w.maybe_begun || w.begun;
  w.begun = true;
  report({id, receipt_state::started, time_.wall(), {}, {}, w.maybe_begun});
}

void courier::ended(const std::string& id, const result<value>& how) {
  const auto at = working_.find(id);
  if (at == working_.end()) return;
  at->second.in_hand = false;
  if (!how && how.error().code == error_code::shutting_down) return;
  const auto& n = known(id).what;
  const auto end = end_of(n, at->second, how);
  if (!at->second.begun) let_others_wait({{n.sender, n.actor}, at->second.number, id});
  scribe_.remove(at->second.key);
  working_.erase(at);
  conclude(end);
}

receipt courier::end_of(const notification& n, const work& w, const result<value>& how) const {
  receipt r{n.id, receipt_state::succeeded, time_.wall(), {}, {}, w.maybe_begun && w.begun};
  if (how) {
    r.outcome = *how;
    const auto* outcome = r.outcome["outcome"].as_text();
    if (outcome && *outcome == to_string(outcome::failed)) {
      r.state = receipt_state::failed;
      r.why = take_error(r.outcome, n);
    }
  } else {
    r.why = how.error();
    r.state = receipt_state::failed;
    const bool too_late = r.why->code == error_code::timeout && !w.begun;
    if (too_late && w.maybe_begun)
      r.why = error{error_code::maybe_done, "it may have been started before a crash, and is too late to be again"};
    if (r.why->code == error_code::maybe_done)
      r.state = receipt_state::unknown;
    else if (too_late)
      r.state = receipt_state::expired;
  }
  bound(r, options_.out.bytes);
  return r;
}

}  // namespace flock
