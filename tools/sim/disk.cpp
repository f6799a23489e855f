#include "tools/sim/disk.hpp"

#include <algorithm>
#include <utility>

namespace flock::simulator {

disk::disk(std::string id, testing::manual_runtime& world, const testing::manual_clock& time, dice& random)
    : kept_(std::move(id)), world_(world), time_(time), random_(random), controller_(world.make_mailbox("disk")) {
  kept_.hold();
}

void disk::write(std::vector<record_change> changes, written durable) {
  if (is_open_) happens(moment::given);
  if (!is_open_) return;  // the process is gone
  kept_.write(std::move(changes), [this, durable = std::move(durable)](const result<void>& how) {
    wrote_ = true;
    happens(moment::durable);
    if (is_open_) durable(how);
  });
  sync_later();
  happens(moment::queued);
}

void disk::stop() {
  if (is_open_) kept_.sync();
}

void disk::fill(bool yes) {
  kept_.fill(yes);
  if (yes) return;
  for (auto waiting = kept_.stats().waiting; waiting > 0; --waiting) sync_later();
}

void disk::crash() {
  is_open_ = false;
  controller_->close();
  const auto survivors = is_full() ? 0 : random_.below(kept_.stats().waiting + 1);
  kept_.crash(survivors);
  // As the journal has it: whoever writes has been told.
  if (wrote_ || survivors > 0) kept_.forget_damage();
}

void disk::open() {
  is_open_ = true;
  wrote_ = false;
  controller_ = world_.make_mailbox("disk");
  busy_until_ = {};
}

std::vector<std::string> disk::damage(std::size_t count) {
  std::vector<std::string> chosen;
  for (; count > 0; --count) {
    const auto all = kept_.keys("");
    if (all.empty()) break;
    chosen.push_back(random_.pick(all));
    kept_.damage(chosen.back());
  }
  return chosen;
}

void disk::happens(moment m) {
  if (watch_) watch_(m);
}

void disk::sync_later() {
  busy_until_ = std::max(busy_until_, time_.now() + random_.between(milliseconds(0), latency_));
  controller_->post_at(busy_until_, [this] { kept_.sync_one(); });
}

}  // namespace flock::simulator
