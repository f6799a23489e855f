#include "libflock/delivery/scribe.hpp"

#include <algorithm>
#include <utility>

namespace flock {

using internal::sentence;

namespace {

/// The last change of each record, in the order of the keys: neighbours share pages.
std::vector<record_change> latest(std::vector<record_change> all) {
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
  const auto is_same = [](const auto& a, const auto& b) { return a.key == b.key; };
  const auto first_kept = std::unique(all.rbegin(), all.rend(), is_same).base();
  all.erase(all.begin(), first_kept);
  return all;
}

}  // namespace

scribe::scribe(std::shared_ptr<mailbox> home, storage& disk, options o)
    : home_(std::move(home)), disk_(disk), options_(o) {}

void scribe::end_turn_soon() {
  if (std::exchange(posted_, true)) return;
  // Behind what waits by then; once, lest this wait for long.
  home_->post([this] { home_->depth() > 0 ? home_->post([this] { end_turn(); }) : end_turn(); });
}

void scribe::soon() {
  wanted_ = true;
  end_turn_soon();
}

void scribe::end_turn() {
  posted_ = false;
  // What nobody waits for would only make the next promise wait for one sync more. The end of a write leads here.
  if (wanted_ && under_way_ < (urgent_ ? options_.writes : 1)) write();
  for (auto* l : listeners_) l->turn_ends();
}

void scribe::close() {
  stopped_ = true;
  for (auto* l : listeners_) l->turn_ends();
  write();
}

void scribe::write() {
  wanted_ = urgent_ = false;
  for (auto* l : listeners_) l->before_write();
  if (changes_.empty() && then_.empty()) return;
  ++under_way_;
  disk_.write(latest(std::exchange(changes_, {})),
              [this, home = home_, then = std::exchange(then_, {})](const result<void>& how) mutable {
                home->post([this, then = std::move(then), how] {
                  if (how)
                    written(then);
                  else
                    failed(how.error());
                });
              });
}

void scribe::written(const std::vector<durable>& then) {
  --under_way_;
  for (const auto& f : then) f();
  // After the turn of those who were told, who may ask for the next promise: what gathered goes with it.
  if (wanted_) soon();
}

void scribe::failed(const error& why) {
  --under_way_;
  stopped_ = true;
  for (auto* l : listeners_) l->not_written(why);
}

broken scribe::check() const {
  if (stopped_) return {};
  if (under_way_ > options_.writes)
    return sentence(under_way_, " writes are under way, and at most ", options_.writes, " may be");
  if (urgent_ && !wanted_) return "somebody waits for a write that is not wanted";
  if (!then_.empty() && !wanted_) return sentence(then_.size(), " wait for a write that is not wanted");
  if (wanted_ && !posted_ && under_way_ == 0) return sentence("nobody will write ", changes_.size(), " changes");
  return {};
}

}  // namespace flock
