#include "tools/sim/process.hpp"

#include <algorithm>
#include <utility>

namespace flock::simulator {

struct process::state {
  std::vector<std::weak_ptr<mailbox>> lanes;
  time_point stalled_until{};
  bool killed = false;
};

/// A mailbox of the world's that the process may delay.
class process::lane final : public mailbox {
 public:
  lane(std::shared_ptr<mailbox> inner, const clock& time, std::shared_ptr<const state> whose)
      : inner_(std::move(inner)), time_(time), whose_(std::move(whose)) {}

  void post(task job) override {
    if (time_.now() < whose_->stalled_until)
      inner_->post_at(whose_->stalled_until, std::move(job));
    else
      inner_->post(std::move(job));
  }
  void post_at(time_point when, task job) override {
    inner_->post_at(std::max(when, whose_->stalled_until), std::move(job));
  }
  void close() override { inner_->close(); }
  std::size_t depth() const override { return inner_->depth(); }
  bool has_turn() const override { return inner_->has_turn(); }
  const mailbox* inner() const { return inner_.get(); }

 private:
  std::shared_ptr<mailbox> inner_;
  const clock& time_;
  std::shared_ptr<const state> whose_;
};

process::process(testing::manual_runtime& world, const clock& time, dice& random, const milliseconds& job)
    : world_(world),
      time_(time),
      random_(random),
      job_(job),
      state_(std::make_shared<state>()),
      jobs_(make_mailbox("blocking jobs")) {}

process::~process() { kill(); }

std::shared_ptr<mailbox> process::make_mailbox(std::string_view label) {
  auto inner = world_.make_mailbox(label);
  if (state_->killed) inner->close();
  state_->lanes.push_back(inner);
  return std::make_shared<lane>(std::move(inner), time_, state_);
}

bool process::is_turn_of(const mailbox& made, const mailbox& in_world) {
  return static_cast<const lane&>(made).inner() == &in_world;
}

void process::run_blocking(task job) {
  const auto ends = time_.now() + random_.between(milliseconds(0), job_);
  jobs_->post_at(ends, [this, alive = std::weak_ptr(state_), job = std::make_shared<task>(std::move(job))] {
    // On a thread of its own, where no mailbox has its turn.
    world_.run_blocking([alive, job] {
      auto here = alive.lock();
      if (here && !here->killed) (*job)();
    });
  });
}

void process::stop(time_point) { kill(); }

void process::kill() {
  if (std::exchange(state_->killed, true)) return;
  for (const auto& each : std::exchange(state_->lanes, {}))
    if (auto alive = each.lock()) alive->close();
}

// Never shorter than it was: what waits already must not be overtaken.
void process::stall(time_point until) { state_->stalled_until = std::max(state_->stalled_until, until); }

}  // namespace flock::simulator
