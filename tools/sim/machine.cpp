#include "tools/sim/machine.hpp"

#include <utility>

namespace flock::simulator {

using namespace std::chrono_literals;

// As the option session-timeout has it.
constexpr milliseconds session_timeout{10'000};

machine::machine(world& in, node_description what, std::function<intent(const notification&)> meaning)
    : in_(in),
      what_(std::move(what)),
      meaning_(std::move(meaning)),
      clock_(in.time),
      disk_(std::make_unique<disk>(name() + "-disk1", in.threads, in.time, in.random)),
      servers_(in.threads.make_mailbox("registry servers")) {
  what_.address = name() + ":1";
}

machine::~machine() {
  chef_.reset();
  life_.reset();
}

void machine::start() {
  if (life_) return;
  // A notification may also have to wait longer than it is worth.
  const auto ttl = in_.random.pick<milliseconds>({3s, 20s, 24h, 24h, 24h, 24h});
  const auto until_resumed = in_.random.pick<milliseconds>({0ms, 0ms, 50ms, 2s});
  ++lives_;
  in_.say(name(), "starts life ", lives_, " at ", what_.address, " with ", disk_->id());
  disk_->open();
  disk_->watch([this](disk::moment m) { passes(m); });
  life_ = std::make_unique<life>(surroundings{.in = in_,
                                              .storage = *disk_,
                                              .time = clock_,
                                              .files = what_,
                                              .acts = [this] { acts(); },
                                              .meaning = meaning_,
                                              .is_chef_running = [this] { return is_running_chef(); },
                                              .start_chef = [this](auto ended) { start_command(std::move(ended)); },
                                              .hang_up =
                                                  [this] {
                                                    if (chef_) chef_->hang_up();
                                                  }},
                                 life_id{name(), lives_});
  if (auto started = life_->start(ttl, until_resumed); !started)
    in_.past.breaks("I1", name() + " cannot start: " + to_string(started.error()));
}

void machine::crash(bool last_words_arrive) {
  if (!life_ || life_->has_crashed()) return;
  in_.say(name(), "crashes");
  in_.past.life_ended(name());
  disarm();
  life_->crash(last_words_arrive);
}

void machine::stop() {
  if (!running()) return;
  in_.say(name(), "stops");
  in_.past.life_ended(name());
  stopping_ = true;
  life_->stop([this] { stopped_ = true; });
}

bool machine::clear_up() {
  clear_up_chef();
  if (!life_ || !(life_->has_crashed() || stopped_)) return false;
  if (life_->has_crashed()) {
    abandoned_.push_back(life_->release_registry());
    servers_->post_at(in_.time.now() + session_timeout, [this] { abandoned_.pop_front(); });
  } else {
    life_->end();
    disk_->stop();
    disk_->crash();
    in_.say(name(), "has stopped");
  }
  disarm();
  life_.reset();
  stopping_ = stopped_ = false;
  return true;
}

void machine::crash_at(disk::moment m, std::size_t countdown) {
  crash_moment_ = m;
  until_crash_ = countdown;
}

void machine::crash_in_action(std::size_t countdown) { until_action_crash_ = countdown; }

void machine::disarm() {
  until_crash_.reset();
  until_action_crash_.reset();
}

// Chef.

void machine::start_chef(const chef_script& what) {
  if (chef_) return;
  chef_ = std::make_unique<chef_process>(chef_process::surroundings{.in = in_,
                                                                    .node = name(),
                                                                    .flockd = [this] { return life_.get(); },
                                                                    .subscribes = what_.chef_subscribes,
                                                                    .acts = [this] { chef_acts(); }},
                                         ++chefs_, what);
}

void machine::start_command(flock::machine::chef_ended ended) {
  if (is_running_chef()) return in_.past.breaks("I12", name() + " starts a Chef run beside the one that is under way");
  clear_up_chef();
  auto what = chef_script::some(in_);
  what.only_says = false;  // only people ask for that
  start_chef(what);
  chef_ended_ = std::move(ended);
}

void machine::kill_chef() {
  if (chef_) chef_->kill();
}

void machine::chef_acts() {
  if (until_chef_dies_ && (*until_chef_dies_)-- == 0) {
    until_chef_dies_.reset();
    chef_->kill();
  }
}

void machine::clear_up_chef() {
  if (!chef_ || !chef_->is_over()) return;
  const auto status = chef_->exit_status();
  chef_.reset();
  in_.past.chef_ended(name(), status == 0);
  if (const auto told = std::exchange(chef_ended_, {})) told(status, "");
}

void machine::passes(disk::moment m) {
  if (m != crash_moment_ || !counts_down(until_crash_)) return;
  in_.say(name(), m == disk::moment::given    ? "before a write is given:"
                  : m == disk::moment::queued ? "when a write was given:"
                                              : "before it hears that a write is durable:");
  crash(in_.random.chance(0.5));
}

void machine::acts() {
  if (!counts_down(until_action_crash_)) return;
  in_.say(name(), "in the middle of an action:");
  crash(in_.random.chance(0.5));
}

bool machine::counts_down(std::optional<std::size_t>& left) {
  if (!left || !life_ || life_->has_crashed()) return false;
  if (*left > 0) {
    --*left;
    return false;
  }
  left.reset();
  return true;
}

void machine::lose_disk() {
  if (life_) return;
  disk_ = std::make_unique<disk>(name() + "-disk" + std::to_string(++disks_), in_.threads, in_.time, in_.random);
  in_.past.storage_lost(name());
  in_.say(name(), "has lost its disk");
}

void machine::damage(std::size_t records) {
  if (life_) return;
  for (const auto& key : disk_->damage(records)) in_.say(name(), "the record ", key, " is damaged");
  in_.past.storage_lost(name());
}

void machine::move() {
  if (life_) return;
  what_.address = name() + ":" + std::to_string(++addresses_);
}

void machine::set_clock(milliseconds ahead) {
  in_.say(name(), "its clock is set ", ahead.count(), "ms ahead");
  clock_.set_ahead(ahead);
  in_.past.clock_set(name(), ahead);
}

}  // namespace flock::simulator
